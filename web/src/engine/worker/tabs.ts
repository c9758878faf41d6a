/**
 * One tab's worker owns the data, the others use it through that one.
 *
 * ```text
 *  tab B's page ─► B's worker ──── A's inbox ───► A's worker: owner ─► engine ─► encrypted store
 *               ◄─            ◄─── B's inbox ────
 * ```
 *
 * A lock of the browser says who owns: it goes with the worker, however that ends, and then the next tab in the queue has
 * it. Tabs talk over `BroadcastChannel`s, which phones have where `SharedWorker` is missing; each tab has an inbox of its
 * own, so that rows reach only who asked. The owner sees a tab's end by a lock that each tab holds for its life.
 *
 * ```text
 *  hello (to all)     a tab is there                       ─► the owner answers `welcome`, with the secret
 *  owner (to all)     somebody owns the data now           ─► every tab says `hello`
 *  reserved (to all)  the owner lets go, for a certain tab ─► whoever else gets the lock before that tab goes to the
 *                                                             end of the queue, once
 * ```
 *
 * *Invariants:* the data is open only under the lock, which is never taken from who holds it: a tab that is reloaded can be
 * granted it at any moment. Who hands over closes the data first. What a tab asked and got no answer to is asked again by
 * its page when there is another owner (`linked`); commands carry a name, so that asking again does nothing twice.
 */
import { asEngineError } from '../error'
import type { Status } from '../port'
import { Hub } from './hub'
import type { FromOwner, FromWorker, Secret, ToOwner, ToWorker } from './protocol'
import type { Audience, Service } from './service'

/** What of `BroadcastChannel` is used. */
export interface Channel {
  postMessage(message: unknown): void
  onmessage: ((event: MessageEvent<never>) => void) | null
  close(): void
}

/** What of `LockManager` is used. */
export interface Locks {
  request(name: string, options: { signal?: AbortSignal }, held: () => Promise<unknown>): Promise<unknown>
}

export interface TabSurroundings {
  /** This tab's name, which no other has. */
  id: string
  page(message: FromWorker): void
  channel(name: string): Channel
  locks: Locks
  /** Opens the data: for who holds the lock. */
  begin(audience: Audience, secret: Secret | null): Promise<Service>
  /** The worker is of no use any more. */
  broken(error: unknown): void
}

type ToAll =
  | { type: 'hello' | 'owner'; from: string; visible: boolean }
  /** `tab` has been waiting for the lock as all do. */
  | { type: 'reserved'; tab: string }
type ToOne = { from: string } & (
  | { type: 'welcome'; status: Status; secret: Secret | null }
  | { type: 'ask'; ask: ToOwner }
  | { type: 'say'; say: FromOwner }
  | { type: 'visible'; visible: boolean }
  | { type: 'pong' }
)

/** A tab that the owner knows. */
interface Known {
  inbox: Channel
  visible: boolean
  /** Ends the watch over its end. */
  forget: AbortController
}

const OWNER = 'holdfast-owner'
const ALL = 'holdfast'
const inboxOf = (tab: string) => `holdfast-tab-${tab}`
/** Milliseconds for an owner to show that it is awake. */
const PATIENCE = 2_000
const AGAIN = 500

export class Tab {
  #secret: Secret | null = null
  #visible = true
  #frozen = false
  /** How to ask the owner. */
  #link: ((ask: ToOwner) => void) | null = null
  /** The owner, if it is another tab. */
  #owner: { id: string; inbox: Channel } | null = null
  #reign: { service: Service; hub: Hub; end: () => void } | null = null
  #handingOver = false
  /** Who is to own next. */
  #reserved: string | null = null
  /** Ends the waiting for the lock; there until the lock is let go. */
  #waiting: AbortController | null = null
  #doubt: ReturnType<typeof setTimeout> | undefined
  readonly #known = new Map<string, Known>()
  readonly #all: Channel
  readonly #inbox: Channel

  constructor(private readonly around: TabSurroundings) {
    this.#all = around.channel(ALL)
    this.#inbox = around.channel(inboxOf(around.id))
  }

  /** What the page says. */
  take(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        return this.#start(message.visible, message.secret)
      case 'visible':
        return this.#seen(message.visible)
      case 'frozen':
        return this.#freeze()
      default:
        return this.#link?.(message)
    }
  }

  #start(visible: boolean, secret: Secret | null): void {
    this.#visible = visible
    this.#secret = secret
    this.#all.onmessage = ({ data }: MessageEvent<ToAll>) => this.#heard(data)
    this.#inbox.onmessage = ({ data }: MessageEvent<ToOne>) => this.#got(data)
    const alive = () => {
      this.#hello()
      this.#compete()
      return new Promise<never>(() => undefined)
    }
    void this.around.locks.request(inboxOf(this.around.id), {}, alive)
  }

  // Owning.

  /** Waits for the lock, and again whenever it was let go. */
  #compete(): void {
    const waiting = new AbortController()
    this.#waiting = waiting
    let granted = false
    const held = () => {
      granted = true
      return waiting.signal.aborted || this.#stepsBack() ? Promise.resolve() : this.#own()
    }
    this.around.locks
      .request(OWNER, { signal: waiting.signal }, held)
      .catch((error: unknown) => {
        if (granted || !waiting.signal.aborted) this.around.broken(error)
      })
      .finally(() => {
        this.#waiting = null
        if (!this.#frozen) this.#compete()
      })
  }

  /** Once only: the tab that is to own may have ended. */
  #stepsBack(): boolean {
    const reserved = this.#reserved
    this.#reserved = null
    return reserved !== null && reserved !== this.around.id
  }

  /** Holds the lock until this tab gives it away. */
  async #own(): Promise<void> {
    this.#forgetOwner()
    const hub = new Hub((error) => this.around.broken(error))
    const service = await this.#begin(hub)
    if (!service) return
    hub.serve(service)
    // The one before may have been heard until now.
    this.#forgetOwner()
    const ended = new Promise<void>((resolve) => {
      this.#reign = { service, hub, end: resolve }
    })
    const self = this.around.id
    hub.join(self, (say) => this.#hear(say))
    this.#link = (ask) => hub.take(self, ask)
    this.#linked(service.status(), service.secret)
    this.#tellAll('owner')
    // Frozen while it was opened.
    if (this.#frozen) this.#freeze()
    await ended
  }

  async #begin(hub: Hub): Promise<Service | null> {
    for (;;) {
      try {
        return await this.around.begin(hub, this.#secret)
      } catch (error) {
        if (asEngineError(error).code !== 'locked') {
          this.around.broken(error)
          return null
        }
        // A tab that the browser put to sleep has the files, without the lock.
        this.around.page({ type: 'unlinked' })
        await new Promise((resolve) => setTimeout(resolve, AGAIN))
      }
    }
  }

  /** A tab said that it is there. */
  #welcome(tab: string, visible: boolean): void {
    const reign = this.#reign
    if (!reign || this.#handingOver) return
    const { service } = reign
    const before = this.#known.get(tab)
    if (before) {
      before.visible = visible
      this.#tell(before.inbox, { type: 'welcome', status: service.status(), secret: service.secret })
      return this.#considerHandingOver()
    }
    const inbox = this.around.channel(inboxOf(tab))
    const forget = new AbortController()
    this.#known.set(tab, { inbox, visible, forget })
    reign.hub.join(tab, (say) => this.#tell(inbox, { type: 'say', say }))
    this.#tell(inbox, { type: 'welcome', status: service.status(), secret: service.secret })
    // The lock is free when the tab has ended.
    const ended = async () => this.#forget(tab)
    this.around.locks.request(inboxOf(tab), { signal: forget.signal }, ended).catch(() => undefined)
    this.#considerHandingOver()
  }

  #forget(tab: string): void {
    const known = this.#known.get(tab)
    if (!known) return
    this.#known.delete(tab)
    known.forget.abort()
    known.inbox.close()
    this.#reign?.hub.leave(tab)
  }

  #forgetAll(): void {
    for (const tab of [...this.#known.keys()]) this.#forget(tab)
  }

  /** The tab in front should own: browsers put those behind it to sleep. */
  #considerHandingOver(): void {
    const reign = this.#reign
    if (!reign || this.#visible || this.#handingOver) return
    // Somebody is signing in.
    if (reign.service.busy) return void setTimeout(() => this.#considerHandingOver(), AGAIN)
    const [tab] = [...this.#known].find(([, known]) => known.visible) ?? []
    if (tab === undefined) return
    // Said before the data is closed, so that all have heard it when the lock is free.
    this.#all.postMessage({ type: 'reserved', tab } satisfies ToAll)
    void this.#letGo()
  }

  /** Closes the data, then lets the lock go. */
  async #letGo(): Promise<void> {
    const reign = this.#reign
    if (!reign || this.#handingOver) return
    this.#handingOver = true
    this.#link = null
    this.#secret = reign.service.secret
    try {
      await reign.service.close()
    } catch (error) {
      return this.around.broken(error)
    }
    this.#handingOver = false
    this.#reign = null
    this.#forgetAll()
    reign.end()
  }

  /** The data is free for other tabs before this one is stopped. */
  #freeze(): void {
    this.#frozen = true
    this.#visible = false
    this.#link = null
    if (this.#reign) return void this.#letGo()
    this.#forgetOwner()
    this.#waiting?.abort()
  }

  #seen(visible: boolean): void {
    this.#visible = visible
    if (this.#frozen) {
      this.#frozen = false
      if (!this.#waiting) this.#compete()
    }
    if (this.#reign) return this.#considerHandingOver()
    if (this.#owner) this.#tell(this.#owner.inbox, { type: 'visible', visible })
    else this.#hello()
    if (visible) this.#doubtOwner()
  }

  // Using another tab's.

  #heard(message: ToAll): void {
    if (message.type === 'hello') return this.#welcome(message.from, message.visible)
    if (message.type === 'reserved') this.#reserved = message.tab
    else {
      this.#reserved = null
      if (!this.#frozen) this.#hello()
    }
  }

  #got(message: ToOne): void {
    const { from } = message
    switch (message.type) {
      case 'welcome':
        if (this.#reign || this.#frozen || (this.#owner?.id === from && this.#link)) return
        this.#follow(from)
        return this.#linked(message.status, message.secret)
      case 'say':
        if (from === this.#owner?.id) this.#hear(message.say)
        return
      case 'pong':
        return clearTimeout(this.#doubt)
      case 'ask':
        if (this.#handingOver) return
        return this.#reign?.hub.take(from, message.ask)
      case 'visible': {
        const known = this.#known.get(from)
        if (!known) return
        known.visible = message.visible
        this.#tell(known.inbox, { type: 'pong' })
        return this.#considerHandingOver()
      }
    }
  }

  #follow(owner: string): void {
    this.#forgetOwner()
    const inbox = this.around.channel(inboxOf(owner))
    this.#owner = { id: owner, inbox }
    this.#link = (ask) => this.#tell(inbox, { type: 'ask', ask })
  }

  #forgetOwner(): void {
    clearTimeout(this.#doubt)
    this.#owner?.inbox.close()
    this.#owner = null
    this.#link = null
  }

  /** Somebody looks at this tab: an owner that does not answer is said to be asleep. */
  #doubtOwner(): void {
    clearTimeout(this.#doubt)
    this.#doubt = setTimeout(() => {
      if (!this.#reign) this.around.page({ type: 'unlinked' })
    }, PATIENCE)
  }

  #linked(status: Status, secret: Secret | null): void {
    clearTimeout(this.#doubt)
    this.#hear({ type: 'secret', secret })
    this.around.page({ type: 'linked', status })
  }

  #hear(say: FromOwner): void {
    if (say.type === 'secret') this.#secret = say.secret
    this.around.page(say)
  }

  #hello(): void {
    this.#tellAll('hello')
  }

  #tellAll(type: 'hello' | 'owner'): void {
    this.#all.postMessage({ type, from: this.around.id, visible: this.#visible } satisfies ToAll)
  }

  #tell(inbox: Channel, message: DistributiveOmit<ToOne, 'from'>): void {
    inbox.postMessage({ ...message, from: this.around.id })
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
