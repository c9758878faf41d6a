/**
 * What a page, its worker and the worker that owns the data say to each other.
 *
 * ```text
 *  page ── start ─────────────────► worker      once
 *  page ◄── linked ──────────────── worker      an owner answers from now on: what is unanswered is asked (again)
 *  page ── call(id) ──────────────► owner       answered once, by `answer` or `refusal` with the same id
 *  page ── watch / unwatch ───────► owner       a watched query sends `rows` whenever they differ
 *  page ── network / syncNow ─────► owner
 *  page ◄── status, secret ──────── owner
 *  page ── visible / frozen ──────► worker
 *  page ◄── unlinked, crashed ───── worker
 * ```
 *
 * The owner is the page's own worker or another tab's (`tabs.ts`): a page cannot tell and need not. Rows travel as JSON
 * text: the engine makes them so, two answers are compared so, and only the page reads them.
 */
import type { Command } from '../generated/commands'
import type {
  Conflict,
  Durability,
  EngineError,
  OutboxEntry,
  Receipt,
  Session,
  SignInRequest,
  SqlValue,
  Status,
} from '../port'

/** A command under a name of its own: asked twice, it is done once. */
export interface Order {
  /** A UUID v7. The transaction that becomes of it has this name. */
  id: string
  command: Command
  /** The refused transaction that it does in another way. */
  mends: string | null
}

/** What opens a person's data. It lives in the memory of tabs, and nowhere else. */
export interface Secret {
  /** Names the person's record in the keyring. */
  user: string
  /** The key of the encrypted store. */
  key: Uint8Array<ArrayBuffer>
  /** Until the server has heard it: who signed in without a network is made known to it later. */
  password: string | null
}

export interface Question {
  sql: string
  parameters: SqlValue[]
}

/** Each call's argument and answer. */
export interface Calls {
  signIn: { argument: SignInRequest; answer: Session }
  signOut: { argument: null; answer: null }
  lock: { argument: null; answer: null }
  /** Rows as JSON text. */
  query: { argument: Question; answer: string }
  run: { argument: Order; answer: Receipt }
  conflicts: { argument: null; answer: Conflict[] }
  outbox: { argument: null; answer: OutboxEntry[] }
  discard: { argument: string; answer: null }
  durability: { argument: string; answer: Durability | null }
}

export type CallName = keyof Calls
export type Argument<N extends CallName> = Calls[N]['argument']
export type Answer<N extends CallName> = Calls[N]['answer']

/** A function for each call. */
export type Handlers = { [N in CallName]: (argument: Argument<N>) => Answer<N> | Promise<Answer<N>> }

export type Call = {
  [N in CallName]: { type: 'call'; id: number; name: N; argument: Argument<N> }
}[CallName]

/** What a page asks of the owner, wherever that is. */
export type ToOwner =
  | Call
  | { type: 'watch'; watch: number; question: Question }
  | { type: 'unwatch'; watch: number }
  | { type: 'syncNow' }
  /** What the page's `online` and `offline` events say. */
  | { type: 'network'; online: boolean }

/** What the owner says to a page. */
export type FromOwner =
  | { type: 'answer'; id: number; answer: Answer<CallName> }
  | { type: 'refusal'; id: number; error: EngineError }
  | { type: 'rows'; watch: number; rows: string }
  | { type: 'watchFailed'; watch: number; error: EngineError }
  | { type: 'status'; status: Status }
  /** For every tab to keep in memory: any of them may be the next owner. */
  | { type: 'secret'; secret: Secret | null }

export type ToWorker =
  | ToOwner
  /** `secret` is that of the page before a reload. */
  | { type: 'start'; visible: boolean; secret: Secret | null }
  | { type: 'visible'; visible: boolean }
  /** The browser is about to stop this tab for a while. */
  | { type: 'frozen' }

export type FromWorker =
  | FromOwner
  | { type: 'linked'; status: Status }
  /** The tab that owns the data does not answer. */
  | { type: 'unlinked' }
  /** The engine is no longer usable; nothing comes after this. */
  | { type: 'crashed'; error: EngineError }

/** Carries out a call. */
export async function carryOut(handlers: Handlers, call: Call): Promise<Answer<CallName>> {
  // The union of calls ties each name to its argument, which TypeScript cannot follow through the look-up.
  const handler = handlers[call.name] as (argument: unknown) => Answer<CallName> | Promise<Answer<CallName>>
  return handler(call.argument)
}
