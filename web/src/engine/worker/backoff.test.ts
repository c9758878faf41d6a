import { describe, expect, it } from 'vitest'
import { Backoff } from './backoff'

describe('waiting after failures', () => {
  it('doubles from one second to a minute', () => {
    const backoff = new Backoff(() => 0.999999)
    const waits = Array.from({ length: 8 }, () => backoff.next())
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  })

  it('spreads devices over the second half, so that they do not all come back at once', () => {
    const backoff = new Backoff(() => 0)
    expect([backoff.next(), backoff.next()]).toEqual([500, 1_000])
  })

  it('starts again after a success', () => {
    const backoff = new Backoff(() => 0)
    backoff.next()
    backoff.next()
    backoff.reset()
    expect(backoff.next()).toBe(500)
  })

  it('waits out what the server asks for, each device a little longer', () => {
    expect(new Backoff(() => 0).next(5_000)).toBe(5_000)
    expect(new Backoff(() => 0.999999).next(5_000)).toBe(7_500)
    const backoff = new Backoff(() => 0)
    for (let failure = 0; failure < 10; failure += 1) backoff.next(5_000)
    expect(backoff.next(5_000)).toBe(30_000)
  })

  it('stays at a minute however long the outage is', () => {
    const backoff = new Backoff(() => 0.999999)
    for (let failure = 0; failure < 5_000; failure += 1) backoff.next()
    expect(backoff.next()).toBe(60_000)
  })
})
