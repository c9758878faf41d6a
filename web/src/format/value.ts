/** How a value of a column looks to a person. */
import type { Column } from '../engine/generated/schema'
import type { SqlValue } from '../engine/port'
import { showDateTime, showDay, showMinutes } from './time'
import { words } from './words'

export const NOTHING = '–'

export function showValue(column: Column, value: SqlValue | undefined): string {
  if (value === null || value === undefined || value === '') return NOTHING
  switch (column.type) {
    case 'boolean':
      return value === 1 || value === 'true' ? 'Yes' : 'No'
    case 'date':
      return showDay(String(value))
    case 'timestamptz':
      return showDateTime(String(value))
    case 'integer':
      return column.minutes ? showMinutes(Number(value)) : String(value)
    default:
      return column.values?.includes(String(value)) ? words(String(value)) : String(value)
  }
}

/** One line of a long text or of JSON, for lists. */
export function shorten(text: string, length = 80): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}
