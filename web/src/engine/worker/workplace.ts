/** Around one open store: keeps it in step with the server, answers live queries, tells its status. */
import { Backoff } from './backoff'
import { isCrash } from './crash'
import { exchange } from './exchange'
import { LiveChannel } from './live_channel'
import { LiveQueries } from './live_queries'
import type { EngineError } from '../port'
import type { Question } from './protocol'
import type { Replica, ReplicaStatus } from './replica'
import { StatusFeed } from './status_feed'
import { Sync } from './sync'

/**
 * Milliseconds in which a command's answer gets to its page. It is sent first, but where processors are few the page may hear it
 * only when the worker rests, and asking again all that the page shows takes as long as the command did.
 */
const ANSWERED = 4

export interface Outlet {
  status(status: ReplicaStatus): void
  rows(watch: number, rows: string): void
  failed(watch: number, error: EngineError): void
  /** See `Sync`. */
  introduce(): Promise<void>
  /** The engine threw what is no `EngineError`. */
  broken(error: unknown): void
}

export interface Workplace {
  replica: Replica
  watch(watch: number, question: Question): void
  unwatch(watch: number): void
  /** A command of this device changed these tables. */
  commandDone(tables: string[]): void
  /** The status may be another one. */
  moved(): void
  /** The session is another one: what is under way is nobody's. */
  sessionChanged(): void
  /** There may be something to exchange. */
  wake(): void
  networkLost(): void
  /** Ends everything, and closes the replica. */
  close(): void
}

export function openWorkplace(replica: Replica, outlet: Outlet): Workplace {
  let closed = false
  const guarded = (act: () => void) => () => {
    if (closed) return
    try {
      act()
    } catch (error) {
      outlet.broken(error)
    }
  }
  const later = (milliseconds: number, act: () => void) => void setTimeout(guarded(act), milliseconds)
  const now = () => performance.now()
  const queries = new LiveQueries({
    ask: replica.query,
    tablesOf: replica.tablesOf,
    send: outlet.rows,
    fail: (watch, error) => (isCrash(error) ? outlet.broken(error) : outlet.failed(watch, error)),
    later,
    now,
  })
  const tellStatus = (status: ReplicaStatus) => {
    const { session, connection } = status
    const heard = connection !== 'signedOut' && connection !== 'otherHospital'
    const token = heard ? replica.token() : undefined
    live.follow(session && token !== undefined ? { server: session.server, token } : null)
    outlet.status(status)
  }
  const feed = new StatusFeed({ read: replica.status, send: tellStatus, later, now })
  const isOwn = (hospital: string | null) => {
    if (closed) return false
    try {
      return replica.recognises(hospital)
    } catch (error) {
      if (isCrash(error)) outlet.broken(error)
      return false
    } finally {
      feed.moved()
    }
  }
  const live: LiveChannel = new LiveChannel(
    guarded(() => sync.wake()),
    isOwn,
    new Backoff(),
  )
  const sync: Sync = new Sync(replica, {
    introduce: outlet.introduce,
    exchange,
    changed: (tables) => queries.changed(tables, replica.status().firstSync ? 'copying' : 'soon'),
    moved: () => feed.moved(),
    reached: () => live.reached(),
    broken: outlet.broken,
    backoff: new Backoff(),
  })
  return {
    replica,
    watch: (watch, question) => queries.watch(watch, question),
    unwatch: (watch) => queries.unwatch(watch),
    commandDone(tables) {
      later(ANSWERED, () => {
        queries.changed(tables, 'now')
        feed.moved()
      })
      sync.commandDone()
    },
    moved: () => feed.moved(),
    sessionChanged() {
      sync.interrupt()
      feed.tell()
      sync.wake()
    },
    wake: () => sync.wake(),
    networkLost: () => sync.networkLost(),
    close() {
      closed = true
      sync.close()
      live.follow(null)
      replica.close()
    },
  }
}
