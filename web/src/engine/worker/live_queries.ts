/**
 * Queries whose rows the page wants again whenever they change.
 *
 * A change names tables. The queries that read one of them are asked again, together, soon; their rows are sent if they
 * are not the last ones. While much changes at most a fifth of the time goes into asking. While the hospital is copied to
 * this device, which shows how far it is, they are asked every few seconds only: the page draws what comes, and that takes
 * longer than the asking.
 */
import { asEngineError } from '../error'
import type { EngineError } from '../port'
import type { Question } from './protocol'

/** What the queries need from around them. */
export interface Surroundings {
  /** Rows as JSON text; throws an `EngineError`. */
  ask(question: Question): string
  tablesOf(sql: string): string[]
  send(watch: number, rows: string): void
  fail(watch: number, error: EngineError): void
  /** Calls back after so many milliseconds. */
  later(milliseconds: number, callback: () => void): void
  /** Milliseconds, as `performance.now`. */
  now(): number
}

interface Watched {
  question: Question
  /** Null while they are not known: the query failed, and may do so until any table changes. */
  tables: ReadonlySet<string> | null
  /** What was sent last: rows, or an error's JSON. */
  sent: string | null
  stale: boolean
}

/** Asking again may take one part of the time in so many. */
const SHARE = 5
const LONGEST_PAUSE = 2_000
/** Milliseconds between askings while the hospital is copied. */
const COPYING_PAUSE = 5_000

/** When changed rows are wanted: a person waits for them, soon, or when there is time. */
export type Pace = 'now' | 'soon' | 'copying'

export class LiveQueries {
  readonly #watched = new Map<number, Watched>()
  /** When the stale ones are asked again. */
  #due = Infinity
  #notBefore = 0

  constructor(private readonly around: Surroundings) {}

  watch(watch: number, question: Question): void {
    const one: Watched = { question, tables: null, sent: null, stale: false }
    this.#watched.set(watch, one)
    this.#renew(watch, one)
  }

  unwatch(watch: number): void {
    this.#watched.delete(watch)
  }

  /** Rows of these tables changed. */
  changed(tables: readonly string[], pace: Pace = 'soon'): void {
    let stale = false
    for (const one of this.#watched.values()) {
      if (!one.tables || tables.some((table) => one.tables?.has(table))) one.stale = true
      stale ||= one.stale
    }
    if (!stale) return
    if (pace === 'now') return this.#renewStale()
    const now = this.around.now()
    const due = Math.max(this.#notBefore, pace === 'copying' ? now + COPYING_PAUSE : now)
    if (this.#due <= due) return
    this.#due = due
    this.around.later(due - now, () => {
      if (this.#due === due) this.#renewStale()
    })
  }

  #renewStale(): void {
    this.#due = Infinity
    const start = this.around.now()
    for (const [watch, one] of this.#watched) if (one.stale) this.#renew(watch, one)
    const end = this.around.now()
    this.#notBefore = end + Math.min((end - start) * (SHARE - 1), LONGEST_PAUSE)
  }

  #renew(watch: number, one: Watched): void {
    one.stale = false
    try {
      one.tables ??= new Set(this.around.tablesOf(one.question.sql))
      const rows = this.around.ask(one.question)
      if (rows === one.sent) return
      one.sent = rows
      this.around.send(watch, rows)
    } catch (thrown) {
      const error = asEngineError(thrown)
      const words = JSON.stringify(error)
      if (words === one.sent) return
      one.sent = words
      this.around.fail(watch, error)
    }
  }
}
