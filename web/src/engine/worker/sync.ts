/**
 * Keeps the replica in step: asks it what to send, sends it, gives it the answer, until there is nothing more.
 *
 * ```text
 *  start, online, poke, command, syncNow ──► wake ──► round: nextRequest → exchange → takeResponse …  until null
 *                                             ▲                         │
 *                                             └── later ◄── in step: a minute · failed, another hospital: backoff
 * ```
 *
 * What to say to the server and what its answers mean is the replica's; when to speak is decided here. Of many pages the next
 * one is asked for before the last one is taken in.
 */
import { asEngineError } from '../error'
import type { Backoff } from './backoff'
import { isCrash } from './crash'
import type { HttpAnswer } from './exchange'
import type { HttpRequest, Replica } from './replica'

export interface SyncSurroundings {
  /** The server does not know this session: makes it known, if that is possible. What fails is told to the replica. */
  introduce(): Promise<void>
  /** Throws `NoAnswer`. */
  exchange(server: string, request: HttpRequest, token: string | null, stop: AbortSignal): Promise<HttpAnswer>
  /** Rows of these tables changed. */
  changed(tables: string[]): void
  /** The replica's status may be another. */
  moved(): void
  /** A round ended and the server had answered. */
  reached(): void
  /** The engine threw: it cannot go on. */
  broken(error: unknown): void
  backoff: Backoff
}

/** Something that the server has been asked. */
interface Asked {
  path: string
  stop: AbortController
  answer: Promise<HttpAnswer>
}

/** Milliseconds after which a device that hears no poke looks for itself. */
const REGULARLY = 60_000
/** Milliseconds that a command waits for others made with it. */
const TOGETHER = 50
/**
 * Milliseconds that it waits where the last round came to nothing. Each try first writes down what is about to be sent: through
 * a night without a network every command would pay for that, and the battery too.
 */
const IN_VAIN = 2_000
const NO_NETWORK = 'This device has no network. Your work is kept here and sent later.'

export class Sync {
  #running = false
  #closed = false
  #again = false
  /** The last round came to nothing. */
  #inVain = false
  #due = Infinity
  /** Milliseconds that the server's last answer asked to wait, and until when nothing is asked because of that. */
  #retryAfter = 0
  #notBefore = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #stop = new AbortController()
  #ahead: Asked | null = null

  constructor(
    private readonly replica: Replica,
    private readonly around: SyncSurroundings,
  ) {}

  /** There may be something to exchange: now, unless the server asked to wait. */
  wake(): void {
    if (this.#closed || performance.now() < this.#notBefore) return
    this.replica.wake()
    this.#again = true
    if (!this.#running) void this.#round()
  }

  /** A command was carried out here. */
  commandDone(): void {
    this.#wakeIn(this.#inVain ? IN_VAIN : TOGETHER)
  }

  /** The browser says that there is no network. Rounds go on being tried, now and then: it has been wrong before. */
  networkLost(): void {
    if (this.#closed) return
    this.#abandon()
    this.#inVain = true
    this.replica.takeFailure(NO_NETWORK)
    this.around.moved()
    if (!this.#running) this.#wakeIn(this.around.backoff.next())
  }

  /** Whoever was signed in is not any more, or somebody else is: what is under way is nobody's. */
  interrupt(): void {
    this.#abandon()
    this.#notBefore = 0
    this.#forgetTimer()
  }

  /** The replica must not be used any more. */
  close(): void {
    this.#closed = true
    this.interrupt()
  }

  async #round(): Promise<void> {
    this.#running = true
    this.#forgetTimer()
    try {
      while (this.#again) {
        this.#again = false
        await this.#exchangeAll()
        if (this.#closed) return
      }
      this.#settle()
    } catch (error) {
      this.around.broken(error)
    } finally {
      this.#running = false
    }
  }

  /** What comes after a round. */
  #settle(): void {
    const { session, connection } = this.replica.status()
    this.around.moved()
    this.#inVain = connection === 'offline'
    if (!session || connection === 'signedOut') return
    if (connection === 'offline' || connection === 'otherHospital')
      return this.#comeBackIn(this.around.backoff.next(this.#retryAfter))
    this.around.backoff.reset()
    this.around.reached()
    this.#wakeIn(REGULARLY)
  }

  /** Nothing wakes it sooner if it was the server that asked to wait: pokes and commands would wear it down. */
  #comeBackIn(milliseconds: number): void {
    if (this.#retryAfter > 0) this.#notBefore = performance.now() + milliseconds
    this.#wakeIn(milliseconds)
  }

  async #exchangeAll(): Promise<void> {
    for (;;) {
      // Another hospital must not learn who works here.
      const known = this.replica.status().connection !== 'otherHospital'
      if (known && this.replica.token() === undefined) await this.around.introduce()
      if (this.#closed) return
      const request = this.replica.nextRequest()
      const server = this.replica.status().session?.server
      const token = request?.needsToken ? this.replica.token() : null
      const ahead = this.#ahead
      this.#ahead = null
      if (ahead?.path !== request?.path) ahead?.stop.abort()
      if (!request || server === undefined || token === undefined) return
      this.around.moved()
      const ask = (next: HttpRequest) => this.#ask(server, next, token)
      const asked = ahead?.path === request.path && !ahead.stop.signal.aborted ? ahead : ask(request)
      this.#stop = asked.stop
      const stop = asked.stop.signal
      try {
        const answer = await asked.answer
        if (this.#closed) return
        this.#retryAfter = answer.retryAfter
        if (!stop.aborted) {
          const next = this.replica.requestAhead(answer)
          this.#ahead = next && ask(next)
          this.around.changed(this.replica.takeResponse(answer))
        }
      } catch (error) {
        if (isCrash(error)) throw error
        if (this.#closed) return
        this.#retryAfter = 0
        // A store that cannot take the answer (a full device) is tried again later, as a network is.
        if (!stop.aborted) this.replica.takeFailure(asEngineError(error).message)
      }
      this.around.moved()
    }
  }

  #ask(server: string, request: HttpRequest, token: string | null): Asked {
    const stop = new AbortController()
    const answer = this.around.exchange(server, request, token, stop.signal)
    // Nobody may hear of what was asked ahead.
    answer.catch(() => undefined)
    return { path: request.path, stop, answer }
  }

  /** Nobody waits for what is under way any more. */
  #abandon(): void {
    this.#stop.abort()
    this.#ahead?.stop.abort()
  }

  /** The sooner of two times stands: commands without a pause must not put the sending off. */
  #wakeIn(milliseconds: number): void {
    const now = performance.now()
    const due = Math.max(now + milliseconds, this.#notBefore)
    if (this.#due <= due) return
    clearTimeout(this.#timer)
    this.#due = due
    this.#timer = setTimeout(() => {
      // Also while a round runs: what comes after it sets another.
      this.#due = Infinity
      this.#notBefore = 0
      this.wake()
    }, due - now)
  }

  #forgetTimer(): void {
    clearTimeout(this.#timer)
    this.#due = Infinity
  }
}
