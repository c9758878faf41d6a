/** The owner's side of the port: what each tab asks, told apart by tab, over the one service. */
import { asEngineError } from '../error'
import type { EngineError, Status } from '../port'
import { isCrash } from './crash'
import { carryOut, type Call, type FromOwner, type Secret, type ToOwner } from './protocol'
import type { Audience, Service } from './service'

type Post = (message: FromOwner) => void

interface Guest {
  post: Post
  /** Names of its questions in the service. */
  watches: Map<number, number>
}

export class Hub implements Audience {
  #service: Service | null = null
  #lastWatch = 0
  readonly #guests = new Map<string, Guest>()
  readonly #asked = new Map<number, { tab: string; watch: number }>()

  /** `broken` is told of what the engine threw that is no `EngineError`. */
  constructor(readonly broken: (error: unknown) => void) {}

  /** From now on the service answers. */
  serve(service: Service): void {
    this.#service = service
  }

  /** A tab comes, or comes again: what it asked before is forgotten. */
  join(tab: string, post: Post): void {
    this.leave(tab)
    this.#guests.set(tab, { post, watches: new Map() })
  }

  leave(tab: string): void {
    for (const watch of this.#guests.get(tab)?.watches.keys() ?? []) this.#unwatch(tab, watch)
    this.#guests.delete(tab)
  }

  take(tab: string, message: ToOwner): void {
    const guest = this.#guests.get(tab)
    const service = this.#service
    if (!guest || !service) return
    try {
      if (message.type === 'call') void this.#answer(guest, service, message)
      else if (message.type === 'watch') {
        this.#unwatch(tab, message.watch)
        const name = (this.#lastWatch += 1)
        guest.watches.set(message.watch, name)
        this.#asked.set(name, { tab, watch: message.watch })
        service.watch(name, message.question)
      } else if (message.type === 'unwatch') this.#unwatch(tab, message.watch)
      else if (message.type === 'syncNow' || message.online) service.wake()
      else service.networkLost()
    } catch (error) {
      this.broken(error)
    }
  }

  status(status: Status): void {
    for (const { post } of this.#guests.values()) post({ type: 'status', status })
  }

  secret(secret: Secret | null): void {
    for (const { post } of this.#guests.values()) post({ type: 'secret', secret })
  }

  rows = (name: number, rows: string): void => {
    const asked = this.#asked.get(name)
    if (asked) this.#guests.get(asked.tab)?.post({ type: 'rows', watch: asked.watch, rows })
  }

  failed = (name: number, error: EngineError): void => {
    const asked = this.#asked.get(name)
    if (asked) this.#guests.get(asked.tab)?.post({ type: 'watchFailed', watch: asked.watch, error })
  }

  async #answer({ post }: Guest, service: Service, call: Call): Promise<void> {
    try {
      post({ type: 'answer', id: call.id, answer: await carryOut(service.handlers, call) })
    } catch (error) {
      if (isCrash(error)) this.broken(error)
      else post({ type: 'refusal', id: call.id, error: asEngineError(error) })
    }
  }

  #unwatch(tab: string, watch: number): void {
    const name = this.#guests.get(tab)?.watches.get(watch)
    if (name === undefined) return
    this.#guests.get(tab)?.watches.delete(watch)
    this.#asked.delete(name)
    this.#service?.unwatch(name)
  }
}
