/**
 * Between what a person types into a field and a value of a column, both ways. A field's content is always a string;
 * empty means "no value".
 */
import type { ColumnValue } from '../engine/generated/commands'
import type { Column } from '../engine/generated/schema'
import type { SqlValue } from '../engine/port'
import { localMinute, parseTime, wireTime } from '../format/time'

export type Typed = { ok: true; value: ColumnValue } | { ok: false; problem: string }

const good = (value: ColumnValue): Typed => ({ ok: true, value })
const bad = (problem: string): Typed => ({ ok: false, problem })
const INTEGER_LIMIT = 2 ** 31

/** What the field shows for a value that a query gave. */
export function toField(column: Column, value: SqlValue | undefined): string {
  if (value === null || value === undefined) return ''
  if (column.type === 'boolean') return value === 1 ? 'true' : 'false'
  if (column.type === 'timestamptz') return localMinute(parseTime(String(value)))
  if (column.json) return indentJson(String(value))
  return String(value)
}

function indentJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** The value that a command carries for the field's content, or what is wrong with it. */
export function fromField(column: Column, typed: string): Typed {
  const text = column.type === 'text' ? typed : typed.trim()
  if (text.trim() === '') return column.notNull ? bad('Please fill this in.') : good(null)
  if (column.json) return fromJson(text)
  switch (column.type) {
    case 'integer':
      return fromInteger(text)
    case 'numeric':
      return fromNumeric(column, text)
    case 'boolean':
      return good(text === 'true')
    case 'date':
      return /^\d{4}-\d{2}-\d{2}$/.test(text) ? good(text) : bad('Please give a date.')
    case 'timestamptz':
      return fromMinute(text)
    default:
      return fromText(column, text)
  }
}

function fromJson(text: string): Typed {
  try {
    return good(JSON.parse(text) as ColumnValue)
  } catch (error) {
    return bad(`This is not valid JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function fromInteger(text: string): Typed {
  const number = Number(text)
  if (!/^[+-]?\d+$/.test(text)) return bad('Please give a whole number.')
  if (number >= INTEGER_LIMIT || number < -INTEGER_LIMIT) return bad('This number is too large.')
  return good(number)
}

function fromNumeric(column: Column, text: string): Typed {
  const scale = column.scale ?? 0
  const parts = /^([+-]?)(\d+)(?:[.,](\d+))?$/.exec(text)
  if (!parts) return bad('Please give a number.')
  const [, sign = '', whole = '', fraction = ''] = parts
  if (fraction.length > scale) return bad(`At most ${scale} digits after the point.`)
  const digits = whole.replace(/^0+(?=\d)/, '')
  const room = (column.precision ?? 1000) - scale
  if (digits !== '0' && digits.length > room) return bad(`At most ${room} digits before the point.`)
  const tail = scale > 0 ? `.${fraction.padEnd(scale, '0')}` : ''
  return good(`${sign === '-' ? '-' : ''}${digits}${tail}`)
}

function fromMinute(text: string): Typed {
  const time = new Date(text)
  return Number.isNaN(time.getTime()) ? bad('Please give a date and a time.') : good(wireTime(time))
}

function fromText(column: Column, text: string): Typed {
  // PostgreSQL counts characters, not UTF-16 halves.
  const length = [...text].length
  if (column.maxLength !== undefined && length > column.maxLength) {
    return bad(`At most ${column.maxLength} characters; these are ${length}.`)
  }
  if (column.values && !column.valuesOpen && !column.values.includes(text)) {
    return bad('Please choose one of the list.')
  }
  return good(text)
}

/** A query's value in the form that commands use, for `seen`. */
export function fromSql(column: Column, value: SqlValue | undefined): ColumnValue {
  if (value === null || value === undefined) return null
  if (column.type === 'boolean') return value === 1
  if (!column.json) return value
  try {
    return JSON.parse(String(value)) as ColumnValue
  } catch {
    return String(value)
  }
}
