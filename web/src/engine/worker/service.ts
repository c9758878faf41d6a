/** What the worker does for the page, once the replica is open. */
import type { Status } from '../port'
import { Backoff } from './backoff'
import { isCrash } from './crash'
import { deviceName } from './device_name'
import { exchange } from './exchange'
import { LiveChannel } from './live_channel'
import { LiveQueries } from './live_queries'
import type { FromWorker, Handlers, ToWorker } from './protocol'
import type { Replica } from './replica'
import { address, askToSignIn, tellSignedOut } from './sign_in'
import { StatusFeed } from './status_feed'
import { Sync } from './sync'

export type Notice = Exclude<ToWorker, { type: 'call' }>

export interface Service {
  handlers: Omit<Handlers, 'open'>
  notice(notice: Notice): void
  status(): Status
}

/** `broken` is told of what the engine threw that is no `EngineError`. */
export function serve(
  replica: Replica,
  post: (message: FromWorker) => void,
  broken: (error: unknown) => void,
): Service {
  const guarded = (act: () => void) => () => {
    try {
      act()
    } catch (error) {
      broken(error)
    }
  }
  const later = (milliseconds: number, act: () => void) => void setTimeout(guarded(act), milliseconds)
  const now = () => performance.now()
  const queries = new LiveQueries({
    ask: replica.query,
    tablesOf: replica.tablesOf,
    send: (watch, rows) => post({ type: 'rows', watch, rows }),
    fail: (watch, error) => (isCrash(error) ? broken(error) : post({ type: 'watchFailed', watch, error })),
    later,
    now,
  })
  const tellStatus = (status: Status) => {
    const { session, connection } = status
    const token = connection === 'signedOut' ? undefined : replica.token()
    live.follow(session && token !== undefined ? { server: session.server, token } : null)
    post({ type: 'status', status })
  }
  const feed = new StatusFeed({ read: replica.status, send: tellStatus, later, now })
  const live: LiveChannel = new LiveChannel(
    guarded(() => sync.wake()),
    new Backoff(),
  )
  const sync: Sync = new Sync(replica, {
    exchange,
    changed: (tables) => queries.changed(tables),
    moved: () => feed.moved(),
    reached: () => live.reached(),
    broken,
    backoff: new Backoff(),
  })

  const handlers: Service['handlers'] = {
    async signIn(request) {
      const device = { deviceKey: replica.deviceKey(), deviceName: deviceName(navigator.userAgent) }
      const answer = await askToSignIn(request, device)
      sync.interrupt()
      const session = replica.beginSession(answer, address(request.server))
      feed.tell()
      sync.wake()
      return session
    },
    signOut({ discard }) {
      const { session } = replica.status()
      const token = replica.token()
      const tables = replica.endSession(discard)
      if (session && token !== undefined) tellSignedOut(session.server, token)
      sync.interrupt()
      queries.changed(tables, true)
      feed.tell()
      return null
    },
    query: replica.query,
    run(command) {
      const { receipt, tables } = replica.run(command)
      // The answer goes first.
      setTimeout(
        guarded(() => queries.changed(tables, true)),
        0,
      )
      feed.moved()
      sync.commandDone()
      return receipt
    },
    conflicts: replica.conflicts,
    outbox: replica.outbox,
    discard(transactionId) {
      replica.discard(transactionId)
      feed.moved()
      return null
    },
  }

  function notice(notice: Notice): void {
    if (notice.type === 'watch') queries.watch(notice.watch, notice.question)
    else if (notice.type === 'unwatch') queries.unwatch(notice.watch)
    else if (notice.type === 'syncNow' || notice.online) sync.wake()
    else sync.networkLost()
  }

  if (navigator.onLine) sync.wake()
  else sync.networkLost()
  return { handlers, notice: (one) => guarded(() => notice(one))(), status: replica.status }
}
