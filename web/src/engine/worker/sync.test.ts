import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Status } from '../port'
import { Backoff } from './backoff'
import { NoAnswer, type HttpAnswer } from './exchange'
import type { HttpRequest, Replica } from './replica'
import { Sync } from './sync'

const OWN = 'a hospital'

/** A replica that has `work` requests to make in a round, as the engine's: woken, it asks; a failure ends the round. */
class FakeReplica {
  work = 0
  woken = false
  connection: Status['connection'] = 'offline'
  problems: string[] = []
  signedIn = true
  /** The next page can be read from an answer. */
  pages = false

  wake = () => void (this.woken = true)
  token = () => (this.signedIn ? 'token' : undefined)
  status = () =>
    ({ session: this.signedIn ? { server: 'http://s' } : null, connection: this.connection }) as Status
  nextRequest(): HttpRequest | null {
    if (!this.signedIn || !this.woken) return null
    const ask = { method: 'GET', body: new Uint8Array() }
    if (this.connection === 'otherHospital') return { ...ask, path: '/v1/session', needsToken: false }
    return { ...ask, path: `/v1/pull?left=${this.work}`, needsToken: true }
  }
  requestAhead({ status }: HttpAnswer): HttpRequest | null {
    if (!this.pages || status !== 200 || this.work <= 1) return null
    return { method: 'GET', body: new Uint8Array(), path: `/v1/pull?left=${this.work - 1}`, needsToken: true }
  }
  takeResponse({ status, hospital }: HttpAnswer): string[] {
    if (hospital !== OWN) return this.#elsewhere()
    this.connection = status === 401 ? 'signedOut' : status === 429 ? 'offline' : 'online'
    this.work -= 1
    if (this.work <= 0 || status !== 200) this.woken = false
    return ['patients']
  }
  #elsewhere(): string[] {
    this.connection = 'otherHospital'
    this.woken = false
    return []
  }
  takeFailure(problem: string) {
    this.problems.push(problem)
    this.connection = 'offline'
    this.woken = false
  }
}

let replica: FakeReplica
let exchanged: string[]
let exchange: (
  server: string,
  request: HttpRequest,
  token: string | null,
  stop: AbortSignal,
) => Promise<HttpAnswer>
let introduce: () => Promise<void>
let broken: unknown[]
let sync: Sync

const answer = (status: number, hospital = OWN, retryAfter = 0): HttpAnswer => ({
  status,
  hospital,
  retryAfter,
  body: new Uint8Array(),
})
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  replica = new FakeReplica()
  exchanged = []
  broken = []
  exchange = async () => answer(200)
  introduce = async () => undefined
  sync = new Sync(replica as unknown as Replica, {
    introduce: () => introduce(),
    exchange(server, request, token, stop) {
      exchanged.push(server + request.path)
      return exchange(server, request, token, stop)
    },
    changed: () => undefined,
    moved: () => undefined,
    reached: () => undefined,
    broken: (error) => broken.push(error),
    backoff: new Backoff(() => 0.999999),
  })
})

afterEach(() => {
  vi.useRealTimers()
  expect(broken).toEqual([])
})

describe('sync', () => {
  it('asks until the replica has nothing more to ask, then looks again in a minute', async () => {
    replica.work = 3
    sync.wake()
    await settle()
    expect(exchanged).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(exchanged).toHaveLength(4)
  })

  it('tries again later and later while no answer comes, and at once when it is woken', async () => {
    exchange = () => Promise.reject(new NoAnswer('gone'))
    sync.wake()
    await settle()
    expect(replica.problems).toEqual(['gone'])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(exchanged).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1_999)
    expect(exchanged).toHaveLength(2)
    sync.wake()
    await settle()
    expect(exchanged).toHaveLength(3)
  })

  it('comes back to a busy server when the server says, and not before', async () => {
    exchange = async () => answer(429, OWN, 10_000)
    sync.wake()
    await settle()
    expect(exchanged).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(14_000)
    // Neither a poke nor a command hurries it.
    sync.wake()
    sync.commandDone()
    await vi.advanceTimersByTimeAsync(500)
    expect(exchanged).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(500)
    expect(exchanged).toHaveLength(2)
    sync.interrupt()
    sync.wake()
    await settle()
    expect(exchanged).toHaveLength(3)
  })

  it('forgets what a busy server asked for once it does not answer at all', async () => {
    exchange = async () => answer(429, OWN, 10_000)
    sync.wake()
    await settle()
    exchange = () => Promise.reject(new NoAnswer('gone'))
    await vi.advanceTimersByTimeAsync(15_000)
    expect(exchanged).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(exchanged).toHaveLength(3)
  })

  it('sends commands that are made together together', async () => {
    sync.commandDone()
    sync.commandDone()
    await vi.advanceTimersByTimeAsync(49)
    expect(exchanged).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(exchanged).toHaveLength(1)
  })

  it('sends while commands come without a pause', async () => {
    for (let command = 0; command < 100; command += 1) {
      sync.commandDone()
      await vi.advanceTimersByTimeAsync(10)
    }
    expect(exchanged.length).toBeGreaterThan(10)
  })

  it('tries no oftener than every other second while nobody is reached, however much is done', async () => {
    sync.networkLost()
    exchange = () => Promise.reject(new NoAnswer('gone'))
    // By now the next try of its own is far away.
    await vi.advanceTimersByTimeAsync(120_000)
    const before = exchanged.length
    for (let command = 0; command < 100; command += 1) {
      sync.commandDone()
      await vi.advanceTimersByTimeAsync(100)
    }
    const tries = exchanged.length - before
    expect(tries).toBeGreaterThanOrEqual(4)
    expect(tries).toBeLessThanOrEqual(6)
    exchange = async () => answer(200)
    sync.commandDone()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(replica.connection).toBe('online')
    const reached = exchanged.length
    sync.commandDone()
    await vi.advanceTimersByTimeAsync(50)
    expect(exchanged).toHaveLength(reached + 1)
  })

  it('forgets no wake that comes while a round runs', async () => {
    let release = (_: HttpAnswer) => {}
    exchange = () => new Promise((resolve) => (release = resolve))
    sync.wake()
    await settle()
    sync.wake()
    replica.work = 2
    exchange = async () => answer(200)
    release(answer(200))
    await settle()
    expect(exchanged).toHaveLength(2)
  })

  it('sends what is done after a round in which something was done', async () => {
    let release = (_: HttpAnswer) => {}
    exchange = () => new Promise((resolve) => (release = resolve))
    sync.wake()
    await settle()
    sync.commandDone()
    await vi.advanceTimersByTimeAsync(100)
    exchange = async () => answer(200)
    release(answer(200))
    await settle()
    const before = exchanged.length
    sync.commandDone()
    await vi.advanceTimersByTimeAsync(100)
    expect(exchanged).toHaveLength(before + 1)
  })

  it('gives up what is under way when the network is lost', async () => {
    exchange = (_server, _request, _token, stop) =>
      new Promise((_, reject) => stop.addEventListener('abort', () => reject(new NoAnswer('aborted'))))
    sync.wake()
    await settle()
    sync.networkLost()
    await settle()
    expect(replica.problems).toEqual(['This device has no network. Your work is kept here and sent later.'])
    expect(replica.connection).toBe('offline')
    exchange = async () => answer(200)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(replica.connection).toBe('online')
  })

  it('waits for a new sign-in when the server wants one', async () => {
    exchange = async () => answer(401)
    sync.wake()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(exchanged).toHaveLength(1)
  })

  it('sends neither work nor token nor password to another hospital, and asks later and later who answers', async () => {
    const tokens: (string | null)[] = []
    let introduced = 0
    introduce = async () => void (introduced += 1)
    exchange = async (_server, _request, token) => {
      tokens.push(token)
      return answer(401, 'another hospital')
    }
    sync.wake()
    await settle()
    replica.token = () => undefined
    await vi.advanceTimersByTimeAsync(3_000)
    expect(exchanged).toEqual(['http://s/v1/pull?left=0', 'http://s/v1/session', 'http://s/v1/session'])
    expect(tokens).toEqual(['token', null, null])
    expect(introduced).toBe(0)
    // It leads home again.
    replica.token = () => 'token'
    exchange = async () => answer(200)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(replica.connection).toBe('online')
  })

  it('asks nothing while nobody is signed in', async () => {
    replica.signedIn = false
    sync.wake()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(exchanged).toEqual([])
  })

  it('makes an unknown session known before it asks for anything', async () => {
    let known = false
    replica.token = () => (known ? 'token' : undefined)
    introduce = async () => void (known = true)
    sync.wake()
    await settle()
    expect(exchanged).toHaveLength(1)
  })

  it('does not touch a closed replica, whatever comes', async () => {
    let release = (_: HttpAnswer) => {}
    exchange = () => new Promise((resolve) => (release = resolve))
    sync.wake()
    await settle()
    sync.close()
    for (const name of ['wake', 'token', 'status', 'nextRequest', 'takeResponse', 'takeFailure'] as const) {
      replica[name] = () => {
        throw new Error(`${name} of a closed replica`)
      }
    }
    release(answer(200))
    sync.wake()
    sync.networkLost()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(exchanged).toHaveLength(1)
  })

  it('asks for the next page before it takes the last one in, and for each page once', async () => {
    replica.pages = true
    replica.work = 3
    const seen: string[] = []
    const take = replica.takeResponse.bind(replica)
    replica.takeResponse = (taken) => {
      seen.push(exchanged.join(' '))
      return take(taken)
    }
    sync.wake()
    await settle()
    const [three, two, one] = [3, 2, 1].map((left) => `http://s/v1/pull?left=${left}`)
    expect(exchanged).toEqual([three, two, one])
    expect(seen).toEqual([`${three} ${two}`, `${three} ${two} ${one}`, `${three} ${two} ${one}`])
  })

  it('gives up what it asked ahead when something else is asked next', async () => {
    replica.pages = true
    replica.work = 2
    const stops: AbortSignal[] = []
    exchange = async (_server, _request, _token, stop) => {
      stops.push(stop)
      return answer(200)
    }
    const next = replica.nextRequest.bind(replica)
    const take = replica.takeResponse.bind(replica)
    replica.takeResponse = () => {
      // Something was done here meanwhile, and is sent first.
      replica.nextRequest = () => {
        replica.nextRequest = next
        return { method: 'POST', body: new Uint8Array(), path: '/v1/push', needsToken: true }
      }
      replica.takeResponse = take
      return []
    }
    sync.wake()
    await settle()
    expect(exchanged.map((address) => address.slice('http://s/v1'.length))).toEqual([
      '/pull?left=2',
      '/pull?left=1',
      '/push',
      '/pull?left=1',
    ])
    expect(stops.map((stop) => stop.aborted)).toEqual([false, true, false, false])
  })

  it('gives up what it asked ahead when the network is lost', async () => {
    replica.pages = true
    replica.work = 2
    const stops: AbortSignal[] = []
    exchange = (_server, request, _token, stop) => {
      stops.push(stop)
      return request.path.endsWith('=2') ? Promise.resolve(answer(200)) : new Promise(() => undefined)
    }
    sync.wake()
    await settle()
    sync.networkLost()
    expect(stops.map((stop) => stop.aborted)).toEqual([false, true])
  })

  it('tries again when the store could not take the answer', async () => {
    replica.takeResponse = () => {
      throw { code: 'store', message: 'The device is full.' }
    }
    sync.wake()
    await settle()
    expect(replica.problems).toEqual(['The device is full.'])
  })

  it('tells of a broken engine', async () => {
    const trap = new Error('unreachable')
    replica.takeResponse = () => {
      throw trap
    }
    sync.wake()
    await settle()
    expect(broken.splice(0)).toEqual([trap])
  })
})
