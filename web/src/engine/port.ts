/**
 * The one way from the page to the engine. The engine runs in a dedicated worker (Rust as WebAssembly, SQLite on OPFS);
 * the page sees this interface and nothing else of it.
 *
 * Values: uuid, text, date (`2026-01-31`), timestamptz (`2026-01-31T12:00:00.000000Z`, UTC, fixed width) and numeric
 * (`12.50`) are strings; integer is a number; boolean is 0 or 1 in query results and true/false in commands.
 */
import type { Command } from './generated/commands'

export type SqlValue = string | number | null
export type Row = Record<string, SqlValue>

/** Who is signed in on this device. */
export interface Session {
  server: string
  userId: string
  username: string
  displayName: string
  role: string
  deviceId: string
}

/** Somebody who has signed in on this device before, and can again without a network. */
export interface DeviceUser {
  server: string
  username: string
  displayName: string
  /** Transactions of theirs on this device that are not sent; only they can read what these are. */
  waiting: number
}

/**
 * How far a transaction of this device has come: `device`: it is here alone; `hub`: the ward's hub keeps it and passes it on;
 * `hospital`: it is in the hospital's stream; `refused`: it stays here for a person to mend.
 */
export type Durability = 'refused' | 'device' | 'hub' | 'hospital'

/** What this device knows of its ward's hub. */
export interface HubStatus {
  /** It exchanges with the hospital. */
  linked: boolean
  /** When it last did, null if not since its start. ISO 8601. */
  contact: string | null
  /** What others did, which is shown here and is on its way to the hospital. */
  relayed: number
  /** What others did and cannot be shown here before the hospital has it. */
  leftOut: number
}

/** What a person must always be able to see: is my work safe, and how old is what I look at. */
export interface Status {
  /** `null` when nobody is signed in. */
  session: Session | null
  /**
   * `online`: the last exchange with the server succeeded. `signedOut`: the server wants a new sign-in. `otherHospital`: the
   * address leads to another hospital's server, with which nothing is exchanged. Work goes on in all of them.
   */
  connection: 'online' | 'offline' | 'syncing' | 'signedOut' | 'otherHospital'
  /** Transactions made here that the server has not acknowledged. */
  waiting: number
  /** Those of them that the server has, and takes in when an earlier entry of another device comes. */
  held: number
  /** Those of them that the ward's hub keeps and passes on. */
  atHub: number
  /** The ward's hub, if one answered last; null if it was the hospital's server. */
  hub: HubStatus | null
  /** Transactions that the server refused and a person must mend or discard. */
  rejected: number
  /** Open conflicts in this replica. */
  conflicts: number
  /** True while the hospital is copied anew, because the checksums here and at the server differed. */
  renewing: boolean
  /** How often they did. */
  differences: number
  /** Changes of the hospital that this version of the app could not take in. */
  unfolded: number
  /** When this replica was last in step with the server, or null if never. ISO 8601. */
  lastInStep: string | null
  /** First copy of the hospital: rows received so far and expected, null when not running. */
  firstSync: { received: number; expected: number } | null
  /** In words for people: why the last exchange failed, or why the data of who was signed in could not be opened. */
  problem: string | null
  /** Who has signed in on this device, the last one first. */
  users: DeviceUser[]
  /** True after `lock`: the first of `users` is asked for the password. */
  locked: boolean
}

export interface SignInRequest {
  server: string
  username: string
  password: string
  /** After `password_changed`: the password that opens what is on this device. */
  oldPassword?: string
  /** After `password_changed`: gives up what is on this device of this person, with all that was not sent. */
  startAnew?: boolean
}

/** One side of a conflict: a value that somebody meant. */
export interface ConflictSide {
  /** For a conflict about a whole row: true to keep it, false to delete it. */
  value: SqlValue | boolean
  /** True for the value that the tables show now. */
  shown: boolean
  userId: string | null
  userName: string | null
  deviceId: string | null
  /** ISO 8601, null if unknown here. */
  time: string | null
}

export interface Conflict {
  id: string
  kind: 'concurrent' | 'claim' | 'deleted' | 'negative'
  table: string
  row: string
  column: string | null
  /** What a person has to do, in words. */
  task: string
  sides: ConflictSide[]
  /** ISO 8601. */
  raisedAt: string
}

/** A transaction of this device that has not reached the server, or was refused. */
export interface OutboxEntry {
  transactionId: string
  command: string
  /** What it was about, in words. */
  summary: string
  madeAt: string
  madeOffline: boolean
  /** `held`: the server has it and waits for an earlier entry of another device. */
  state: 'waiting' | 'held' | 'rejected'
  durability: Durability
  /** Why the server refused it. */
  reason: string | null
  /** What was refused. */
  refused: Command | null
  /** When what was refused was done in another way. ISO 8601. */
  mendedAt: string | null
}

export interface Receipt {
  transactionId: string
  /** The rows it created, changed or deleted, in order. */
  rows: { table: string; id: string; action: 'created' | 'changed' | 'deleted' }[]
}

/** Every rejected promise of the port is one of these. */
export interface EngineError {
  /** Machine-readable: `invalid`, `not_allowed`, `sign_in_failed`, `password_changed`, `offline`, `store`, `locked` … */
  code: string
  /** For people: what happened and what to do. */
  message: string
  /** For `invalid`: the field it is about, as the command names it. */
  field?: string
}

export interface WaitOptions {
  signal?: AbortSignal
  /** Milliseconds. */
  timeoutMs?: number
}

export interface Engine {
  /**
   * Joins the device's other tabs, one of which has the data open. Rejects with `locked` while that one does not answer;
   * the tab goes on by itself as soon as it can.
   */
  open(): Promise<Status>
  /**
   * Opens this person's data on this device, in every tab. Needs the network the first time only. Rejects with
   * `password_changed` when the server takes the password and the data on this device needs the old one.
   */
  signIn(request: SignInRequest): Promise<Session>
  /** Closes the data in every tab; what was not sent stays, encrypted, for the next sign-in of the same person. */
  signOut(): Promise<void>
  /** As `signOut`, but the server goes on knowing this device: for when nobody has touched it for a while. */
  lock(): Promise<void>
  /** Runs one read-only SQL statement against the local tables. `?1`, `?2`… are bound from `parameters`. */
  query(sql: string, parameters?: SqlValue[]): Promise<Row[]>
  /** Runs `query` now and again whenever a table that it reads has changed. Returns the function that ends it. */
  live(
    sql: string,
    parameters: SqlValue[],
    onRows: (rows: Row[]) => void,
    onError?: (error: EngineError) => void,
  ): () => void
  /**
   * Carries out a command as one transaction. Durable on this device when the promise resolves. `mends` names the refused
   * transaction that it does in another way.
   */
  run(command: Command, mends?: string): Promise<Receipt>
  /** Open conflicts, newest first. */
  conflicts(): Promise<Conflict[]>
  outbox(): Promise<OutboxEntry[]>
  /** Drops a rejected transaction for good. */
  discard(transactionId: string): Promise<void>
  /**
   * Resolves when a transaction has come so far; who has reached the hospital has passed the hub. Rejects with `refused`;
   * with `not_found` if this device does not know it any more; with `timeout` or `aborted` as `options` say; and as any
   * call does, with `signed_out` say.
   */
  waitFor(transactionId: string, durability: 'hub' | 'hospital', options?: WaitOptions): Promise<void>
  /** Sync now instead of at the next occasion. */
  syncNow(): void
  /** Calls back with every change of the status, at once with the present one. Returns the function that ends it. */
  onStatus(callback: (status: Status) => void): () => void
}
