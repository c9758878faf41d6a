/** The port over the worker. */
import type { Engine, EngineError, Row, Status } from './port'
import { keepForReload, takeAfterReload } from './reload'
import { newTransactionId } from './transaction_id'
import { waitFor } from './wait_for'
import { crashed } from './worker/crash'
import type {
  Answer,
  Argument,
  Call,
  CallName,
  FromWorker,
  Question,
  Secret,
  ToWorker,
} from './worker/protocol'

/** What the client needs of a `Worker`; tests give their own. */
export interface Peer {
  postMessage(message: ToWorker): void
  terminate(): void
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
}

interface Pending {
  call: Call
  /** How many owners of the data were asked. */
  asked: number
  resolve(answer: unknown): void
  reject(error: EngineError): void
}

interface Watch {
  question: Question
  onRows(rows: Row[]): void
  onError: ((error: EngineError) => void) | undefined
}

/** What the page knows that its worker does not. */
export interface Surroundings {
  start(): Peer
  visible(): boolean
  /** The secret of this tab before it was reloaded. */
  before(): Promise<Secret | null>
}

/** Milliseconds until a crashed worker is replaced, and without a crash for the next to be replaced too. */
const RESTART = 500
const SETTLED = 30_000
/** Milliseconds for the tab that owns the data to answer a new one. */
const PATIENCE = 5_000
/** A call that so many owners did not survive is not asked again. */
const OWNERS = 3

export function connect(): Engine {
  const client = new Client({
    start: () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'holdfast' }),
    visible: () => document.visibilityState === 'visible',
    before: takeAfterReload,
  })
  addEventListener('online', () => client.tell({ type: 'network', online: true }))
  addEventListener('offline', () => client.tell({ type: 'network', online: false }))
  const seen = () => {
    const visible = document.visibilityState === 'visible'
    client.tell({ type: 'visible', visible })
    // A phone that slept has heard nothing meanwhile.
    if (visible) client.syncNow()
  }
  document.addEventListener('visibilitychange', seen)
  document.addEventListener('resume', seen)
  document.addEventListener('freeze', () => client.tell({ type: 'frozen' }))
  addEventListener('pagehide', () => keepForReload(client.secret))
  return client
}

export class Client implements Engine {
  #peer: Peer | null = null
  #linked = false
  #lastId = 0
  #lastCrash = -Infinity
  #status: Status | null = null
  #secret: Secret | null = null
  #opening: { resolve(status: Status): void; reject(error: EngineError): void }[] = []
  readonly #pending = new Map<number, Pending>()
  readonly #watches = new Map<number, Watch>()
  readonly #watchers = new Set<(status: Status) => void>()

  constructor(private readonly around: Surroundings) {}

  /** What this tab could open the data with. */
  get secret(): Secret | null {
    return this.#secret
  }

  async open(): Promise<Status> {
    if (this.#linked && this.#status) return this.#status
    if (!this.#peer) this.#begin()
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => settle(() => reject(locked())), PATIENCE)
      const settle = (act: () => void) => {
        clearTimeout(late)
        this.#opening = this.#opening.filter((one) => one !== opening)
        act()
      }
      const opening = {
        resolve: (status: Status) => settle(() => resolve(status)),
        reject: (error: EngineError) => settle(() => reject(error)),
      }
      this.#opening.push(opening)
    })
  }

  signIn: Engine['signIn'] = (request) => this.#call('signIn', request)

  async signOut(): Promise<void> {
    await this.#call('signOut', null)
  }

  async lock(): Promise<void> {
    await this.#call('lock', null)
  }

  async query(sql: string, parameters: Question['parameters'] = []): Promise<Row[]> {
    return JSON.parse(await this.#call('query', { sql, parameters })) as Row[]
  }

  live: Engine['live'] = (sql, parameters, onRows, onError) => {
    const watch = (this.#lastId += 1)
    // A copy: what a page gives may be a proxy, which cannot be posted.
    const question = { sql, parameters: [...parameters] }
    this.#watches.set(watch, { question, onRows, onError })
    if (this.#linked) this.tell({ type: 'watch', watch, question })
    return () => {
      if (this.#watches.delete(watch) && this.#linked) this.tell({ type: 'unwatch', watch })
    }
  }

  run: Engine['run'] = (command, mends) =>
    this.#call('run', { id: newTransactionId(), command, mends: mends ?? null })
  conflicts: Engine['conflicts'] = () => this.#call('conflicts', null)
  outbox: Engine['outbox'] = () => this.#call('outbox', null)

  async discard(transactionId: string): Promise<void> {
    await this.#call('discard', transactionId)
  }

  waitFor: Engine['waitFor'] = (transactionId, durability, options) =>
    waitFor(
      {
        durability: (id) => this.#call('durability', id),
        onStatus: (callback) => this.onStatus(callback),
      },
      transactionId,
      durability,
      options,
    )

  syncNow(): void {
    this.tell({ type: 'syncNow' })
  }

  onStatus(callback: (status: Status) => void): () => void {
    this.#watchers.add(callback)
    if (this.#status) callback(this.#status)
    return () => this.#watchers.delete(callback)
  }

  /** Says something that is not answered. */
  tell(message: ToWorker): void {
    this.#peer?.postMessage(message)
  }

  #call<N extends CallName>(name: N, argument: Argument<N>): Promise<Answer<N>> {
    if (!this.#peer) return Promise.reject(stopped())
    return new Promise<Answer<N>>((resolve, reject) => {
      const id = (this.#lastId += 1)
      const call = { type: 'call', id, name, argument } as Call
      // The owner answers a call with what the call's name says.
      const pending = { call, asked: 0, resolve: resolve as (answer: unknown) => void, reject }
      this.#pending.set(id, pending)
      if (this.#linked) this.#ask(pending)
    })
  }

  #ask(pending: Pending): void {
    pending.asked += 1
    this.tell(pending.call)
  }

  #begin(): void {
    const peer = this.around.start()
    this.#peer = peer
    peer.onmessage = ({ data }) => this.#receive(data)
    peer.onerror = (event) => this.#crash(crashed(event.message || 'its worker could not be started'))
    const start = (secret: Secret | null) =>
      peer.postMessage({ type: 'start', visible: this.around.visible(), secret })
    // Another worker of the same page: the page has what the last one knew.
    if (this.#secret) start(this.#secret)
    else void this.around.before().then(start, () => start(null))
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'answer':
        return this.#settle(message.id)?.resolve(message.answer)
      case 'refusal':
        return this.#refuse(message.id, message.error)
      case 'rows':
        return this.#watches.get(message.watch)?.onRows(JSON.parse(message.rows) as Row[])
      case 'watchFailed':
        return this.#watches.get(message.watch)?.onError?.(message.error)
      case 'status':
        return this.#take(message.status)
      case 'secret':
        this.#secret = message.secret
        return
      case 'linked':
        return this.#link(message.status)
      case 'unlinked':
        return this.#unlink()
      case 'crashed':
        return this.#crash(message.error)
    }
  }

  /** An owner answers from now on. Questions and calls outlive the one before. */
  #link(status: Status): void {
    this.#linked = true
    // What a person waits for goes first.
    for (const pending of [...this.#pending.values()]) {
      if (pending.asked < OWNERS) this.#ask(pending)
      else this.#settle(pending.call.id)?.reject(stopped())
    }
    for (const [watch, { question }] of this.#watches) this.tell({ type: 'watch', watch, question })
    this.#take(status)
    for (const one of this.#opening) one.resolve(status)
  }

  #unlink(): void {
    for (const one of this.#opening) one.reject(locked())
    if (this.#status) this.#take({ ...this.#status, connection: 'offline', problem: locked().message })
  }

  #refuse(id: number, error: EngineError): void {
    const pending = this.#settle(id)
    if (!pending) return
    // The owner before did it, and could not say so.
    const isDone = pending.call.name === 'discard' && pending.asked > 1 && error.code === 'not_found'
    if (isDone) pending.resolve(null)
    else pending.reject(error)
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #take(status: Status): void {
    this.#status = status
    for (const callback of this.#watchers) callback(status)
  }

  #crash(error: EngineError): void {
    this.#peer?.terminate()
    this.#peer = null
    this.#linked = false
    for (const one of this.#opening) one.reject(error)
    const now = performance.now()
    const again = this.#status !== null && now - this.#lastCrash > SETTLED
    this.#lastCrash = now
    if (this.#status) this.#take({ ...this.#status, connection: 'offline', problem: error.message })
    // The store is whole, so a new worker may well succeed, and is asked what is unanswered. One that crashes again soon
    // is left to the person.
    if (again) setTimeout(() => void this.open().catch(() => undefined), RESTART)
    else for (const { call } of [...this.#pending.values()]) this.#settle(call.id)?.reject(error)
  }
}

const stopped = (): EngineError => ({
  code: 'crashed',
  message: 'Holdfast is not running on this page. Reload the page. What you saved is kept.',
})

const locked = (): EngineError => ({
  code: 'locked',
  message:
    'Holdfast is asleep in another tab of this browser. Use that tab, or close it: this one then goes on.',
})
