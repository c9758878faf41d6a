import { describe, expect, it } from 'vitest'
import { isIdle } from './idle'

const MINUTE = 60_000

describe('a device that nobody touches', () => {
  it('is idle after so many minutes, to the millisecond', () => {
    expect(isIdle('0', 15 * MINUTE - 1, 15)).toBe(false)
    expect(isIdle('0', 15 * MINUTE, 15)).toBe(true)
  })

  it('is not taken for idle when nothing can be told', () => {
    expect(isIdle(null, 99 * MINUTE, 15)).toBe(false)
    expect(isIdle('x', 99 * MINUTE, 15)).toBe(false)
    expect(isIdle(String(100 * MINUTE), 99 * MINUTE, 15)).toBe(false)
  })
})
