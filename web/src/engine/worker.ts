/**
 * The engine's worker: owns the replica, answers the page, keeps the replica in step with the server.
 *
 * Invariants: the engine is used here and nowhere else; what the page asks before the replica is open waits for it; after
 * a crash of the engine nothing is answered any more and the page starts another worker.
 */
import initialize, { Engine } from './pkg/holdfast_wasm.js'
import moduleAddress from './pkg/holdfast_wasm_bg.wasm?url'
import { asEngineError } from './error'
import { crashed, isCrash } from './worker/crash'
import { ownReplica } from './worker/ownership'
import { carryOut, type Call, type FromWorker, type Handlers, type ToWorker } from './worker/protocol'
import { replicaOf } from './worker/replica'
import { serve, type Service } from './worker/service'

const post = (message: FromWorker): void => self.postMessage(message)
let opening: Promise<Service> | null = null

async function open(): Promise<Service> {
  // The module is fetched and compiled while the lock is waited for.
  await Promise.all([ownReplica(), initialize({ module_or_path: moduleAddress })])
  return serve(replicaOf(await Engine.open()), post, broken)
}

function broken(error: unknown): void {
  console.error(error)
  post({ type: 'crashed', error: crashed(error) })
  self.close()
}

const opened = (): Promise<Service> => {
  if (opening) return opening
  return Promise.reject(new Error('BUG: the replica is used before it is opened'))
}

function handlers(service: Service): Handlers {
  return { ...service.handlers, open: () => service.status() }
}

async function answer(call: Call): Promise<void> {
  try {
    if (call.name === 'open') opening ??= open()
    post({ type: 'answer', id: call.id, answer: await carryOut(handlers(await opened()), call) })
  } catch (error) {
    if (isCrash(error)) broken(error)
    else post({ type: 'refusal', id: call.id, error: asEngineError(error) })
  }
}

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'call') void answer(data)
  else
    void opened().then(
      (service) => service.notice(data),
      () => undefined,
    )
})
