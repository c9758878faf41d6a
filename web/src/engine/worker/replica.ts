/** The wasm engine with the port's types: the one place that vouches for the shape of the JSON it makes. */
import type { Engine, HttpRequest as EngineRequest } from '../pkg/holdfast_wasm.js'
import type { Conflict, Durability, OutboxEntry, Receipt, Session, Status } from '../port'
import type { HttpAnswer } from './exchange'
import type { Order, Question } from './protocol'

/** Something to ask the server. */
export interface HttpRequest {
  method: string
  /** Path and query, from the server's address on. */
  path: string
  body: Uint8Array<ArrayBuffer>
  /** False: the token must not be given away. */
  needsToken: boolean
}

/** The device's replica. Every method may throw an `EngineError`. */
export interface Replica {
  status(): ReplicaStatus
  deviceKey(): string
  token(): string | undefined
  beginSession(answer: string, server: string): Session
  /** Leaves the session; what waits stays. */
  signOut(): void
  run(order: Order): { receipt: Receipt; tables: string[] }
  /** Rows as JSON text. */
  query(question: Question): string
  tablesOf(sql: string): string[]
  conflicts(): Conflict[]
  outbox(): OutboxEntry[]
  durability(transactionId: string): Durability | null
  discard(transactionId: string): void
  /** There may be something new: begins a round of sync. */
  wake(): void
  nextRequest(): HttpRequest | null
  /** What `nextRequest` will most likely say once this answer is taken: may be sent before that. */
  requestAhead(answer: HttpAnswer): HttpRequest | null
  /** Returns the tables whose rows changed. */
  takeResponse(answer: HttpAnswer): string[]
  /** True if an answer with this header `Holdfast-Hospital` is of the replica's own hospital. */
  recognises(hospital: string | null): boolean
  takeFailure(problem: string): void
  /** Encrypts a store of an earlier version. */
  encrypt(key: Uint8Array): void
  /** Nothing of it may be used afterwards. */
  close(): void
}

/** What an open store says of itself; who has used the device is known beside it. */
export type ReplicaStatus = Omit<Status, 'users' | 'locked'>

export function replicaOf(engine: Engine): Replica {
  return {
    status: () => JSON.parse(engine.status()) as ReplicaStatus,
    deviceKey: () => engine.deviceKey(),
    token: () => engine.token(),
    beginSession: (answer, server) => JSON.parse(engine.beginSession(answer, server)) as Session,
    signOut: () => engine.signOut(),
    run(order) {
      const done = engine.run(JSON.stringify(order))
      const { receipt, tables } = done
      done.free()
      return { receipt: JSON.parse(receipt) as Receipt, tables }
    },
    query: ({ sql, parameters }) => engine.query(sql, JSON.stringify(parameters)),
    tablesOf: (sql) => engine.tablesOf(sql),
    conflicts: () => JSON.parse(engine.conflicts()) as Conflict[],
    outbox: () => JSON.parse(engine.outbox()) as OutboxEntry[],
    durability: (transactionId) => JSON.parse(engine.durability(transactionId)) as Durability | null,
    discard: (transactionId) => engine.discard(transactionId),
    wake: () => engine.wake(),
    nextRequest: () => readRequest(engine.nextRequest()),
    requestAhead: ({ status, hospital, body }) => readRequest(engine.requestAhead(status, hospital, body)),
    takeResponse: ({ status, hospital, body }) => engine.takeResponse(status, hospital, body),
    recognises: (hospital) => engine.recognises(hospital),
    takeFailure: (problem) => engine.takeFailure(problem),
    encrypt: (key) => engine.encrypt(key),
    close: () => engine.free(),
  }
}

function readRequest(request: EngineRequest | undefined): HttpRequest | null {
  if (!request) return null
  const { method, path, body, needsToken } = request
  request.free()
  return { method, path, body: new Uint8Array(body), needsToken }
}
