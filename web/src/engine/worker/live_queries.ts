/**
 * Queries whose rows the page wants again whenever they change.
 *
 * A change names tables. The queries that read one of them are asked again, together, soon; their rows are sent if they
 * are not the last ones. While much changes (the first copy of a hospital) at most a fifth of the time goes into asking.
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

export class LiveQueries {
  readonly #watched = new Map<number, Watched>()
  #due = false
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

  /** Rows of these tables changed. `now`: a person waits for it, so do not pause. */
  changed(tables: readonly string[], now = false): void {
    let stale = false
    for (const one of this.#watched.values()) {
      if (!one.tables || tables.some((table) => one.tables?.has(table))) {
        one.stale = true
        stale = true
      }
    }
    if (!stale) return
    if (now) return this.#renewStale()
    if (this.#due) return
    this.#due = true
    this.around.later(Math.max(0, this.#notBefore - this.around.now()), () => {
      this.#due = false
      this.#renewStale()
    })
  }

  #renewStale(): void {
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
