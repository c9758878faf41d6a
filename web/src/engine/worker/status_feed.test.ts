import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ReplicaStatus } from './replica'
import { StatusFeed } from './status_feed'

let status: ReplicaStatus
let sent: ReplicaStatus[]
let feed: StatusFeed

const connections = () => sent.map((one) => one.connection)

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  status = {
    session: null,
    connection: 'online',
    waiting: 0,
    held: 0,
    atHub: 0,
    hub: null,
    rejected: 0,
    conflicts: 0,
    renewing: false,
    differences: 0,
    unfolded: 0,
    lastInStep: null,
    firstSync: null,
    problem: null,
  }
  feed = new StatusFeed({
    read: () => status,
    send: (one) => sent.push(one),
    later: (milliseconds, callback) => setTimeout(callback, milliseconds),
    now: () => performance.now(),
  })
  feed.tell()
})

afterEach(() => void vi.useRealTimers())

describe('the status', () => {
  it('is told once for all that moved together, and only when it is another one', () => {
    status = { ...status, waiting: 1 }
    feed.moved()
    feed.moved()
    vi.advanceTimersByTime(0)
    expect(sent.map((one) => one.waiting)).toEqual([0, 1])
    feed.moved()
    vi.advanceTimersByTime(0)
    expect(sent).toHaveLength(2)
  })

  it('does not flicker for an exchange that is over at once', () => {
    status = { ...status, connection: 'syncing' }
    feed.tell()
    vi.advanceTimersByTime(200)
    status = { ...status, connection: 'online' }
    feed.tell()
    vi.advanceTimersByTime(1_000)
    expect(connections()).toEqual(['online'])
  })

  it('says that it is syncing when that takes a while', () => {
    status = { ...status, connection: 'syncing' }
    feed.tell()
    vi.advanceTimersByTime(300)
    expect(connections()).toEqual(['online', 'syncing'])
  })

  it('tells an outage and the first copy at once', () => {
    status = { ...status, connection: 'offline' }
    feed.tell()
    status = { ...status, connection: 'syncing', firstSync: { received: 1, expected: 2 } }
    feed.tell()
    expect(connections()).toEqual(['online', 'offline', 'syncing'])
  })
})
