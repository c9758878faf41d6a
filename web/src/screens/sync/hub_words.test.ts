import { describe, expect, it } from 'vitest'
import { hubFact, hubNotice, stops } from './hub_words'

const NOW = new Date(2026, 10, 22, 11, 30)
const at = (hours: number, minutes: number, day = 22) => new Date(2026, 10, day, hours, minutes).toISOString()
const HUB = { linked: false, contact: at(10, 40), relayed: 0, leftOut: 0 }
const STATUS = { hub: HUB, connection: 'online' as const, waiting: 2, atHub: 2 }

describe('what is said of a hub without a link to the hospital', () => {
  it('is since when, and that the work is safe there', () => {
    expect(hubNotice(STATUS, NOW)).toBe(
      'Hub: no link to the hospital since 10:40; your entries are safe at the hub.',
    )
  })

  it('names the day when it was not today, and no time when it is not known', () => {
    expect(hubNotice({ ...STATUS, hub: { ...HUB, contact: at(23, 5, 20) } }, NOW)).toContain(
      '20 Nov 2026, 23:05',
    )
    expect(hubNotice({ ...STATUS, hub: { ...HUB, contact: null } }, NOW)).toContain(
      'no link to the hospital;',
    )
  })

  it('promises no more than there is', () => {
    expect(hubNotice({ ...STATUS, atHub: 1 }, NOW)).toContain('1 entry of yours is on this device only, yet.')
    expect(hubNotice({ ...STATUS, waiting: 0, atHub: 0 }, NOW)).toContain(
      'what you enter is kept at the hub.',
    )
  })

  it('is nothing while it is linked, is not reached, or is none', () => {
    expect(hubNotice({ ...STATUS, hub: { ...HUB, linked: true } }, NOW)).toBeNull()
    expect(hubNotice({ ...STATUS, connection: 'offline' }, NOW)).toBeNull()
    expect(hubNotice({ ...STATUS, hub: null }, NOW)).toBeNull()
  })
})

describe('the hub among the facts', () => {
  it('tells of others’ work on its way', () => {
    expect(hubFact({ ...HUB, linked: true, relayed: 3 }, NOW)).toBe(
      'Linked to the hospital. 3 entries of others on the way to the hospital.',
    )
    expect(hubFact({ ...HUB, leftOut: 1 }, NOW)).toContain('1 more to be shown when the hospital has them.')
  })
})

describe('the way of an entry', () => {
  it('leads over the hub where there is one', () => {
    expect(stops({ durability: 'device' }, { hub: null })).toEqual(['device', 'hospital'])
    expect(stops({ durability: 'device' }, { hub: HUB })).toEqual(['device', 'hub', 'hospital'])
    expect(stops({ durability: 'hub' }, { hub: null })).toEqual(['device', 'hub', 'hospital'])
  })
})
