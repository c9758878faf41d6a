import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeChannels, FakeLocks } from '../../testing/browser_tabs'
import type { Order, FromWorker, Question, Secret } from './protocol'
import type { Audience, Service } from './service'
import { Tab } from './tabs'

const SECRET: Secret = { user: 'u', key: new Uint8Array([1, 2, 3]), password: null }

/** Milliseconds to give the files back. */
const CLOSING = 3

/** The device's one store: it notes who has it open, and what was done. */
class FakeStore {
  open: string | null = null
  done: string[] = []
  secrets: (Secret | null)[] = []
  busy = false
  /** Milliseconds to open it. */
  slow = 0
  answers = true
  /** Tabs that are gone. */
  ended = new Set<string>()

  async begin(tab: string, audience: Audience, secret: Secret | null): Promise<Service> {
    await new Promise((resolve) => setTimeout(resolve, this.slow))
    if (this.ended.has(tab)) await new Promise(() => undefined)
    if (this.open !== null) throw new Error(`${tab} opens what ${this.open} has open`)
    this.open = tab
    this.secrets.push(secret)
    const service = {
      secret,
      isBusy: () => this.busy,
      get busy() {
        return this.isBusy()
      },
      status: () => ({ connection: 'online' }),
      handlers: {
        run: async ({ id }: Order) => {
          if (!this.done.includes(id)) this.done.push(id)
          if (!this.answers) await new Promise(() => undefined)
          return { transactionId: `${tab}:${id}`, rows: [] }
        },
      },
      watch: (name: number, question: Question) => audience.rows(name, `["${question.sql} by ${tab}"]`),
      unwatch: () => undefined,
      wake: () => undefined,
      networkLost: () => undefined,
      close: async () => {
        await new Promise((resolve) => setTimeout(resolve, CLOSING))
        if (this.open === tab) this.open = null
      },
    }
    return service as unknown as Service
  }
}

let locks: FakeLocks
let channels: FakeChannels
let store: FakeStore
let broken: unknown[]

/** A page as `Client` is one: what is unanswered is asked again of the next owner. */
class Page {
  heard: FromWorker[] = []
  asked = new Map<number, Order>()
  answered: string[] = []
  readonly tab: Tab
  #last = 0

  constructor(
    readonly id: string,
    visible = true,
    secret: Secret | null = null,
  ) {
    this.tab = new Tab({
      id,
      page: (message) => this.#hear(message),
      channel: channels.of(id),
      locks: locks.of(id),
      begin: (audience, known) => store.begin(id, audience, known),
      broken: (error) => broken.push(error),
    })
    this.tab.take({ type: 'start', visible, secret })
  }
  run(name: string) {
    this.#last += 1
    this.asked.set(this.#last, { id: name, command: { type: 'deleteRow', table: 't', id: '1' }, mends: null })
    this.#ask(this.#last)
  }
  /** As when the browser ends the tab: no goodbye. */
  kill() {
    locks.end(this.id)
    channels.end(this.id)
    store.ended.add(this.id)
    if (store.open === this.id) store.open = null
  }
  get linked() {
    return this.heard.filter((one) => one.type === 'linked').length
  }
  #ask(id: number) {
    const argument = this.asked.get(id)
    if (argument) this.tab.take({ type: 'call', id, name: 'run', argument })
  }
  #hear(message: FromWorker) {
    this.heard.push(message)
    if (message.type === 'linked') for (const id of this.asked.keys()) this.#ask(id)
    if (message.type !== 'answer' || !this.asked.delete(message.id)) return
    this.answered.push((message.answer as { transactionId: string }).transactionId)
  }
}

const settle = (milliseconds = 50) => vi.advanceTimersByTimeAsync(milliseconds)

beforeEach(() => {
  vi.useFakeTimers()
  locks = new FakeLocks()
  channels = new FakeChannels()
  store = new FakeStore()
  broken = []
})

afterEach(() => {
  vi.useRealTimers()
  expect(broken).toEqual([])
})

describe('tabs of one device', () => {
  it('all work through the one that came first', async () => {
    const one = new Page('one', true, SECRET)
    await settle()
    const two = new Page('two')
    await settle()
    one.run('a')
    two.run('b')
    two.tab.take({ type: 'watch', watch: 7, question: { sql: 'SELECT', parameters: [] } })
    await settle()
    expect(store.open).toBe('one')
    expect([one.answered, two.answered]).toEqual([['one:a'], ['one:b']])
    expect(two.heard.at(-1)).toEqual({ type: 'rows', watch: 7, rows: '["SELECT by one"]' })
    expect(one.heard.some((message) => message.type === 'rows')).toBe(false)
    expect(two.heard).toContainEqual({ type: 'secret', secret: SECRET })
  })

  it('go on in another when the owner is killed in the middle of a command: done once, answered', async () => {
    const one = new Page('one', true, SECRET)
    await settle()
    const two = new Page('two')
    await settle()
    store.answers = false
    two.run('a')
    await settle()
    expect([store.done, two.answered]).toEqual([['a'], []])
    store.answers = true
    one.kill()
    await settle()
    expect(store.open).toBe('two')
    expect([store.done, two.answered]).toEqual([['a'], ['two:a']])
    expect(store.secrets).toEqual([SECRET, SECRET])
  })

  it('keep a command that is given while nobody owns the data', async () => {
    const one = new Page('one')
    await settle()
    const two = new Page('two')
    const three = new Page('three')
    await settle()
    store.slow = 200
    one.kill()
    three.run('a')
    await settle(100)
    expect(three.answered).toEqual([])
    await settle(200)
    expect(two.linked + three.linked).toBe(4)
    expect([store.done, three.answered.length]).toEqual([['a'], 1])
  })

  it('hand the data to the tab in front, once a sign-in is over', async () => {
    store.busy = true
    const one = new Page('one', true, SECRET)
    await settle()
    const two = new Page('two', false)
    await settle()
    one.tab.take({ type: 'visible', visible: false })
    two.tab.take({ type: 'visible', visible: true })
    await settle()
    expect(store.open).toBe('one')
    store.busy = false
    await settle(600)
    expect(store.open).toBe('two')
  })

  it('hand the data to the tab in front without losing or doubling what is asked meanwhile', async () => {
    const one = new Page('one', true, SECRET)
    await settle()
    const hidden = new Page('hidden', false)
    const two = new Page('two', false)
    await settle()
    one.tab.take({ type: 'visible', visible: false })
    two.tab.take({ type: 'visible', visible: true })
    for (const [at, page] of [one, hidden, two, one, hidden, two].entries()) {
      page.run(`c${at}`)
      await settle(1)
    }
    await settle()
    expect(store.open).toBe('two')
    expect(store.done.toSorted()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5'])
    expect([one, hidden, two].map((page) => page.answered.length)).toEqual([2, 2, 2])
    expect(locks.holder('holdfast-owner')).toBe('two')
    // And back, and on when that one ends.
    two.tab.take({ type: 'visible', visible: false })
    one.tab.take({ type: 'visible', visible: true })
    await settle()
    expect(store.open).toBe('one')
    one.kill()
    await settle()
    expect(['two', 'hidden']).toContain(store.open)
    expect(store.secrets).toEqual([SECRET, SECRET, SECRET, SECRET])
  })

  for (const after of [0, 1, 2, 3, 4, 5]) {
    it(`have one owner when the front tab is reloaded and its worker ends ${after} ms into handing over`, async () => {
      const one = new Page('one', true, SECRET)
      await settle()
      const two = new Page('two')
      await settle()
      // A page that goes is hidden first. The page that comes is there before the old worker has ended.
      one.tab.take({ type: 'visible', visible: false })
      const again = new Page('again', true, SECRET)
      store.slow = 20
      two.run('a')
      await settle(after)
      one.kill()
      await settle(5_000)
      again.run('b')
      two.run('c')
      await settle()
      expect(store.open).toBe('two')
      expect(locks.holder('holdfast-owner')).toBe('two')
      expect(store.done.toSorted()).toEqual(['a', 'b', 'c'])
      expect([two.answered, again.answered]).toEqual([['two:a', 'two:c'], ['two:b']])
    })
  }

  it('stay with an owner whose successor ends while it takes over', async () => {
    const one = new Page('one', true, SECRET)
    await settle()
    const two = new Page('two', false)
    await settle()
    one.tab.take({ type: 'visible', visible: false })
    two.tab.take({ type: 'visible', visible: true })
    await settle(1)
    two.kill()
    await settle(3_000)
    expect(store.open).toBe('one')
    one.run('a')
    await settle()
    expect(one.answered).toEqual(['one:a'])
  })

  it('step back once for a successor, which may have ended, and not again', async () => {
    const one = new Page('one', true, SECRET)
    await settle()
    const hidden = new Page('hidden', false)
    const two = new Page('two', false)
    await settle()
    one.tab.take({ type: 'visible', visible: false })
    two.tab.take({ type: 'visible', visible: true })
    await settle(2)
    two.kill()
    one.kill()
    hidden.run('a')
    await settle()
    expect(hidden.answered).toEqual(['hidden:a'])
  })

  it('get the data from a tab that is being frozen, and it comes back as a guest', async () => {
    const one = new Page('one', true, SECRET)
    await settle()
    new Page('two')
    await settle()
    one.tab.take({ type: 'frozen' })
    await settle()
    expect(store.open).toBe('two')
    one.run('a')
    await settle()
    expect(one.answered).toEqual([])
    one.tab.take({ type: 'visible', visible: true })
    await settle()
    expect(one.answered).toEqual(['two:a'])
  })

  it('leave the data free when the only tab is frozen, and it opens them again when it wakes', async () => {
    const one = new Page('one', true, SECRET)
    await settle()
    one.tab.take({ type: 'frozen' })
    await settle()
    expect([store.open, locks.holder('holdfast-owner')]).toEqual([null, undefined])
    one.tab.take({ type: 'visible', visible: true })
    await settle()
    expect(store.open).toBe('one')
    expect(store.secrets).toEqual([SECRET, SECRET])
  })

  it('say so when the owner does not answer', async () => {
    const one = new Page('one')
    await settle()
    const two = new Page('two')
    await settle()
    // Asleep: it has the lock, and hears nothing.
    channels.end(one.id)
    two.tab.take({ type: 'visible', visible: true })
    await settle(2_000)
    expect(two.heard.at(-1)).toEqual({ type: 'unlinked' })
  })

  it('forget the secret in all of them, so that none can go on with it', async () => {
    let audience: Audience | null = null
    const begin = store.begin.bind(store)
    store.begin = (tab, all, secret) => {
      audience = all
      return begin(tab, all, secret)
    }
    const one = new Page('one', true, SECRET)
    await settle()
    new Page('two')
    await settle()
    ;(audience as Audience | null)?.secret(null)
    await settle()
    one.kill()
    await settle()
    expect(store.open).toBe('two')
    expect(store.secrets).toEqual([SECRET, null])
  })
})
