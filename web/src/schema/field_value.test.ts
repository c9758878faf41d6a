import { describe, expect, it } from 'vitest'
import type { Column } from '../engine/generated/schema'
import { fromField, fromSql, toField } from './field_value'
import { columnOf } from './tables'

const ok = (value: unknown) => ({ ok: true, value })
const refused = (part: string) => ({ ok: false, problem: expect.stringContaining(part) })

describe('text', () => {
  it('is kept to the letter', () => {
    expect(fromField(columnOf('patients', 'first_name'), ' Ann ')).toEqual(ok(' Ann '))
  })

  it('is measured in characters, as PostgreSQL does', () => {
    const column = columnOf('patients', 'blood_type')
    expect(fromField(column, '🩸🩸🩸🩸🩸')).toEqual(ok('🩸🩸🩸🩸🩸'))
    expect(fromField(column, '123456')).toEqual(refused('At most 5'))
  })

  it('is no value when empty, and refused where a value is needed', () => {
    expect(fromField(columnOf('patients', 'phone'), '')).toEqual(ok(null))
    expect(fromField(columnOf('patients', 'last_name'), '  ')).toEqual(refused('fill'))
  })

  it('is bound by a closed vocabulary, not by an open one', () => {
    expect(fromField(columnOf('patients', 'gender'), 'male')).toEqual(ok('male'))
    expect(fromField(columnOf('patients', 'gender'), 'm')).toEqual(refused('list'))
    expect(fromField(columnOf('treatment_records', 'frequency'), 'every 6 h')).toEqual(ok('every 6 h'))
  })
})

describe('numbers', () => {
  const stock = columnOf('supplies', 'minimum_stock_level')
  const cost = columnOf('supplies', 'unit_cost')

  it('are whole where the column is', () => {
    expect(fromField(stock, ' 12 ')).toEqual(ok(12))
    expect(fromField(stock, '-3')).toEqual(ok(-3))
    expect(fromField(stock, '1.5')).toEqual(refused('whole'))
    expect(fromField(stock, '1e3')).toEqual(refused('whole'))
    expect(fromField(stock, '2147483648')).toEqual(refused('too large'))
  })

  it('keep the decimals of their column, as text', () => {
    expect(fromField(cost, '4,2')).toEqual(ok('4.20'))
    expect(fromField(cost, '-007')).toEqual(ok('-7.00'))
    expect(fromField(cost, '1.234')).toEqual(refused('At most 2 digits after'))
    expect(fromField(cost, '1234567')).toEqual(refused('At most 6 digits before'))
    expect(fromField(cost, 'twelve')).toEqual(refused('number'))
  })
})

describe('times', () => {
  const column = columnOf('appointments', 'appointment_date')

  it('survive the way into the field and back, to the minute', () => {
    const wire = '2026-01-31T12:34:00.000000Z'
    expect(fromField(column, toField(column, wire))).toEqual(ok(wire))
  })

  it('are refused when incomplete', () => {
    expect(fromField(column, '2026-13-01T')).toEqual(refused('date and a time'))
    expect(fromField(columnOf('patients', 'date_of_birth'), '31.1.1950')).toEqual(refused('date'))
  })
})

describe('yes and no', () => {
  const column = columnOf('bed_cleaning_tasks', 'quality_check_passed')

  it('are 0 and 1 in rows and words in fields', () => {
    expect([0, 1, null].map((value) => toField(column, value))).toEqual(['false', 'true', ''])
    expect(fromField(column, 'false')).toEqual(ok(false))
    expect(fromField(column, '')).toEqual(ok(null))
  })
})

describe('JSON', () => {
  const column = columnOf('equipment_usage', 'settings')

  it('is shown indented and sent as a value', () => {
    expect(toField(column, '{"rate":12}')).toBe('{\n  "rate": 12\n}')
    expect(fromField(column, '{"rate": 12}')).toEqual(ok({ rate: 12 }))
    expect(fromField(column, '{rate}')).toEqual(refused('not valid JSON'))
  })

  it('that an import brought broken is shown as it is', () => {
    expect(toField(column, '{broken')).toBe('{broken')
    expect(fromSql(column, '{broken')).toBe('{broken')
  })
})

it('values of rows become values of commands, for what a form has seen', () => {
  const seen = (column: Column, value: string | number | null) => fromSql(column, value)
  expect(seen(columnOf('users', 'is_active'), 1)).toBe(true)
  expect(seen(columnOf('equipment_usage', 'settings'), '[1]')).toEqual([1])
  expect(seen(columnOf('supplies', 'unit_cost'), '4.20')).toBe('4.20')
  expect(seen(columnOf('patients', 'phone'), null)).toBeNull()
})
