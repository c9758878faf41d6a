import { describe, expect, it } from 'vitest'
import { IDLE, press, type ShortcutEffect } from './shortcuts'

const places = new Map([
  ['b', ['board']],
  ['q', ['queue']],
])

/** The effects of keys typed at the given times. */
function type(...keys: [key: string, time: number, taken?: boolean][]): ShortcutEffect[] {
  let state = IDLE
  return keys.map(([key, time, taken = false]) => {
    const next = press(state, { key, taken, time }, places)
    state = next.state
    return next.effect
  })
}

const none = { kind: 'none' }

describe('shortcuts', () => {
  it('goes to a screen by g and its letter', () => {
    expect(type(['g', 0], ['q', 400])).toEqual([none, { kind: 'go', path: ['queue'] }])
  })

  it('forgets the g after a while', () => {
    expect(type(['g', 0], ['q', 5000])).toEqual([none, none])
  })

  it('does nothing for a letter that no screen has, and starts afresh', () => {
    expect(type(['g', 0], ['z', 100], ['b', 200])).toEqual([none, none, none])
  })

  it('searches and helps', () => {
    expect(type(['/', 0], ['?', 10])).toEqual([{ kind: 'search' }, { kind: 'help' }])
  })

  it('leaves keys alone that go into a field', () => {
    expect(type(['/', 0, true], ['g', 10, true], ['b', 20])).toEqual([none, none, none])
  })
})
