import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Durability, Status, WaitOptions } from './port'
import { waitFor, type Watched } from './wait_for'

/** An engine that says of every transaction what it is told to say. */
class FakeEngine implements Watched {
  now: Durability | null = 'device'
  asked = 0
  callbacks = new Set<(status: Status) => void>()

  durability = async () => {
    this.asked += 1
    return this.now
  }
  onStatus = (callback: (status: Status) => void) => {
    this.callbacks.add(callback)
    callback({} as Status)
    return () => void this.callbacks.delete(callback)
  }
  /** The status is another one. */
  async moves(now: Durability | null): Promise<void> {
    this.now = now
    for (const callback of this.callbacks) callback({} as Status)
    await vi.advanceTimersByTimeAsync(0)
  }
}

let engine: FakeEngine

/** Waits, and says what has become of it so far. */
function wait(wanted: 'hub' | 'hospital', options: WaitOptions = {}, id = 't'): { so(): Promise<string> } {
  let became = 'waits'
  void waitFor(engine, id, wanted, options).then(
    () => (became = 'reached'),
    (error: { code: string }) => (became = error.code),
  )
  return {
    async so() {
      await vi.advanceTimersByTimeAsync(0)
      return became
    },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
})
afterEach(() => vi.useRealTimers())

describe('waiting for a transaction', () => {
  it('ends at the hub for who waits for the hub, and at the hospital for who waits for that', async () => {
    const [hub, hospital] = [wait('hub'), wait('hospital')]
    expect(await hub.so()).toBe('waits')
    await engine.moves('hub')
    expect([await hub.so(), await hospital.so()]).toEqual(['reached', 'waits'])
    await engine.moves('hospital')
    expect(await hospital.so()).toBe('reached')
    expect(engine.callbacks.size).toBe(0)
  })

  it('ends at once where it is already, or where nothing was done', async () => {
    engine.now = 'hospital'
    expect(await wait('hub').so()).toBe('reached')
    const asked = engine.asked
    expect(await wait('hospital', {}, '00000000-0000-0000-0000-000000000000').so()).toBe('reached')
    expect(engine.asked).toBe(asked)
  })

  it('fails when it is refused, or is not known any more', async () => {
    const refused = wait('hospital')
    await engine.moves('refused')
    expect(await refused.so()).toBe('refused')
    engine.now = 'hub'
    const unknown = wait('hospital')
    await engine.moves(null)
    expect(await unknown.so()).toBe('not_found')
  })

  it('fails in time, and when nobody waits any more', async () => {
    const late = wait('hub', { timeoutMs: 50 })
    expect(await late.so()).toBe('waits')
    await vi.advanceTimersByTimeAsync(50)
    expect(await late.so()).toBe('timeout')
    const stop = new AbortController()
    const stopped = wait('hub', { signal: stop.signal })
    stop.abort()
    expect(await stopped.so()).toBe('aborted')
    expect(await wait('hub', { signal: stop.signal }).so()).toBe('aborted')
    expect(engine.callbacks.size).toBe(0)
  })

  it('asks only when the status moves', async () => {
    const long = wait('hub', { timeoutMs: 3_600_000 })
    await long.so()
    const asked = engine.asked
    await vi.advanceTimersByTimeAsync(3_000_000)
    expect(engine.asked).toBe(asked)
    await engine.moves('hub')
    expect(await long.so()).toBe('reached')
  })

  it('fails as the call does', async () => {
    engine.durability = async () => {
      throw { code: 'signed_out', message: '' }
    }
    expect(await wait('hub').so()).toBe('signed_out')
  })
})
