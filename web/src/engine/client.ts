/** The port over the worker. */
import { asEngineError } from './error'
import type { Engine, EngineError, Row, Status } from './port'
import { crashed } from './worker/crash'
import type { Answer, Argument, CallName, FromWorker, Question, ToWorker } from './worker/protocol'

/** What the client needs of a `Worker`; tests give their own. */
export interface Peer {
  postMessage(message: ToWorker): void
  terminate(): void
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
}

interface Pending {
  resolve(answer: unknown): void
  reject(error: EngineError): void
}

interface Watch {
  question: Question
  onRows(rows: Row[]): void
  onError: ((error: EngineError) => void) | undefined
}

/** Milliseconds until a crashed worker is replaced, and without a crash for the next to be replaced too. */
const RESTART = 500
const SETTLED = 30_000

export function connect(): Engine {
  const start = (): Peer =>
    new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'holdfast' })
  const client = new Client(start)
  addEventListener('online', () => client.tell({ type: 'network', online: true }))
  addEventListener('offline', () => client.tell({ type: 'network', online: false }))
  // A phone that slept has heard nothing meanwhile.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') client.syncNow()
  })
  return client
}

export class Client implements Engine {
  #peer: Peer | null = null
  #lastId = 0
  #lastCrash = -Infinity
  #status: Status | null = null
  readonly #pending = new Map<number, Pending>()
  readonly #watches = new Map<number, Watch>()
  readonly #watchers = new Set<(status: Status) => void>()

  constructor(private readonly start: () => Peer) {}

  async open(): Promise<Status> {
    const fresh = !this.#peer
    if (fresh) this.#begin()
    const peer = this.#peer
    const opening = this.#call('open', null)
    // Questions outlive a worker.
    if (fresh) {
      for (const [watch, { question }] of this.#watches) this.tell({ type: 'watch', watch, question })
    }
    try {
      const status = await opening
      this.#take(status)
      return status
    } catch (thrown) {
      const error = asEngineError(thrown)
      // A worker that could not open has half-opened files: the next attempt gets a new one.
      if (this.#peer === peer) this.#end(error)
      throw error
    }
  }

  signIn: Engine['signIn'] = (request) => this.#call('signIn', request)

  async signOut(options?: { discard?: boolean }): Promise<void> {
    await this.#call('signOut', { discard: options?.discard ?? false })
  }

  async query(sql: string, parameters: Question['parameters'] = []): Promise<Row[]> {
    return JSON.parse(await this.#call('query', { sql, parameters })) as Row[]
  }

  live: Engine['live'] = (sql, parameters, onRows, onError) => {
    const watch = (this.#lastId += 1)
    // A copy: what a page gives may be a proxy, which cannot be posted.
    const question = { sql, parameters: [...parameters] }
    this.#watches.set(watch, { question, onRows, onError })
    this.tell({ type: 'watch', watch, question })
    return () => {
      if (this.#watches.delete(watch)) this.tell({ type: 'unwatch', watch })
    }
  }

  run: Engine['run'] = (command) => this.#call('run', command)
  conflicts: Engine['conflicts'] = () => this.#call('conflicts', null)
  outbox: Engine['outbox'] = () => this.#call('outbox', null)

  async discard(transactionId: string): Promise<void> {
    await this.#call('discard', transactionId)
  }

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
    const peer = this.#peer
    if (!peer) return Promise.reject(stopped())
    return new Promise<Answer<N>>((resolve, reject) => {
      const id = (this.#lastId += 1)
      // The worker answers a call with what the call's name says.
      this.#pending.set(id, { resolve: resolve as (answer: unknown) => void, reject })
      peer.postMessage({ type: 'call', id, name, argument } as ToWorker)
    })
  }

  #begin(): void {
    const peer = this.start()
    this.#peer = peer
    peer.onmessage = ({ data }) => this.#receive(data)
    peer.onerror = (event) => this.#crash(crashed(event.message || 'its worker could not be started'))
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'answer':
        return this.#settle(message.id)?.resolve(message.answer)
      case 'refusal':
        return this.#settle(message.id)?.reject(message.error)
      case 'rows':
        return this.#watches.get(message.watch)?.onRows(JSON.parse(message.rows) as Row[])
      case 'watchFailed':
        return this.#watches.get(message.watch)?.onError?.(message.error)
      case 'status':
        return this.#take(message.status)
      case 'crashed':
        return this.#crash(message.error)
    }
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
    this.#end(error)
    if (!this.#status) return
    this.#take({ ...this.#status, connection: 'offline', problem: error.message })
    // The store is whole, so a new worker may well succeed. One that crashes again soon is left to the person.
    const now = performance.now()
    if (now - this.#lastCrash > SETTLED) setTimeout(() => void this.open().catch(() => undefined), RESTART)
    this.#lastCrash = now
  }

  #end(error: EngineError): void {
    this.#peer?.terminate()
    this.#peer = null
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

const stopped = (): EngineError => ({
  code: 'crashed',
  message: 'Holdfast is not running on this page. Reload the page. What you saved is kept.',
})
