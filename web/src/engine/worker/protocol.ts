/**
 * What the page and the engine's worker say to each other.
 *
 * ```text
 *  page ── call(id) ──────────────► worker      answered once, by `answer` or `refusal` with the same id
 *  page ── watch / unwatch ───────► worker      a watched query sends `rows` whenever they differ
 *  page ── network / syncNow ─────► worker
 *  page ◄── status, crashed ─────── worker
 * ```
 *
 * Rows travel as JSON text: the engine makes them so, two answers are compared so, and only the page reads them.
 */
import type { Command } from '../generated/commands'
import type { Conflict, EngineError, OutboxEntry, Receipt, Session, SqlValue, Status } from '../port'

export interface SignIn {
  server: string
  username: string
  password: string
}

export interface Question {
  sql: string
  parameters: SqlValue[]
}

/** Each call's argument and answer. */
export interface Calls {
  open: { argument: null; answer: Status }
  signIn: { argument: SignIn; answer: Session }
  signOut: { argument: { discard: boolean }; answer: null }
  /** Rows as JSON text. */
  query: { argument: Question; answer: string }
  run: { argument: Command; answer: Receipt }
  conflicts: { argument: null; answer: Conflict[] }
  outbox: { argument: null; answer: OutboxEntry[] }
  discard: { argument: string; answer: null }
}

export type CallName = keyof Calls
export type Argument<N extends CallName> = Calls[N]['argument']
export type Answer<N extends CallName> = Calls[N]['answer']

/** A function for each call. */
export type Handlers = { [N in CallName]: (argument: Argument<N>) => Answer<N> | Promise<Answer<N>> }

export type Call = {
  [N in CallName]: { type: 'call'; id: number; name: N; argument: Argument<N> }
}[CallName]

export type ToWorker =
  | Call
  | { type: 'watch'; watch: number; question: Question }
  | { type: 'unwatch'; watch: number }
  | { type: 'syncNow' }
  /** What the page's `online` and `offline` events say. */
  | { type: 'network'; online: boolean }

export type FromWorker =
  | { type: 'answer'; id: number; answer: Answer<CallName> }
  | { type: 'refusal'; id: number; error: EngineError }
  | { type: 'rows'; watch: number; rows: string }
  | { type: 'watchFailed'; watch: number; error: EngineError }
  | { type: 'status'; status: Status }
  /** The engine is no longer usable; nothing comes after this. */
  | { type: 'crashed'; error: EngineError }

/** Carries out a call. */
export async function carryOut(handlers: Handlers, call: Call): Promise<Answer<CallName>> {
  // The union of calls ties each name to its argument, which TypeScript cannot follow through the look-up.
  const handler = handlers[call.name] as (argument: unknown) => Answer<CallName> | Promise<Answer<CallName>>
  return handler(call.argument)
}
