import { describe, expect, it } from 'vitest'
import * as time from './time'

const now = new Date('2026-03-10T12:00:00Z')

describe('wire time', () => {
  it('has six digits of a second, as the tables have', () => {
    expect(time.wireTime(new Date('2026-01-31T12:00:00.5Z'))).toBe('2026-01-31T12:00:00.500000Z')
  })

  it('is read back to the same instant', () => {
    const instant = new Date('2026-01-31T12:00:00.123Z')
    expect(time.parseTime(time.wireTime(instant))).toEqual(instant)
  })
})

describe('how long ago', () => {
  it.each([
    ['2026-03-10T11:59:40.000000Z', 'just now'],
    ['2026-03-10T11:55:00.000000Z', '5 min ago'],
    ['2026-03-10T09:00:00.000000Z', '3 h ago'],
    ['2026-03-09T11:00:00.000000Z', 'yesterday'],
    ['2026-03-01T12:00:00.000000Z', '9 days ago'],
    // A clock that runs ahead must not frighten anybody.
    ['2026-03-10T12:04:00.000000Z', 'just now'],
  ])('%s is %s', (iso, words) => {
    expect(time.showSince(iso, now)).toBe(words)
  })
})

describe('age', () => {
  const today = new Date(2026, 2, 10)

  it('counts the birthday itself', () => {
    expect(time.showAge('1980-03-10', today)).toBe('46 y')
    expect(time.showAge('1980-03-11', today)).toBe('45 y')
  })

  it('counts small children in months', () => {
    expect(time.showAge('2025-11-10', today)).toBe('4 mo')
    expect(time.showAge('2026-03-09', today)).toBe('0 mo')
  })
})

describe('days', () => {
  it('shows a bare date as that date in every zone', () => {
    expect(time.showDay('2026-01-31')).toBe('31 Jan 2026')
  })

  it('steps over the end of a month', () => {
    expect(time.addDays('2026-02-28', 1)).toBe('2026-03-01')
    expect(time.addDays('2026-03-01', -1)).toBe('2026-02-28')
  })

  it('bounds a local day by its midnights', () => {
    const [from, until] = time.dayBounds('2026-03-10')
    expect(time.localMinute(time.parseTime(from))).toBe('2026-03-10T00:00')
    expect(time.localMinute(time.parseTime(until))).toBe('2026-03-11T00:00')
  })
})

it('shows what it cannot read as it is', () => {
  expect(time.showDateTime('soon')).toBe('soon')
})

it('shows minutes as people say them', () => {
  expect([45, 60, 95].map(time.showMinutes)).toEqual(['45 min', '1 h', '1 h 35 min'])
})
