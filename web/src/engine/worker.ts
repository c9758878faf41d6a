/**
 * A tab's worker: owns the device's data, or uses them through the tab that does.
 *
 * Invariants: the engine is used in the owner and nowhere else; after a crash of the engine nothing is answered any more
 * and the page starts another worker.
 */
import { asEngineError } from './error'
import { crashed, isCrash } from './worker/crash'
import { filesFree, requireStorage } from './worker/files'
import { openKeyring } from './worker/keyring'
import type { FromWorker, ToWorker } from './worker/protocol'
import { Service } from './worker/service'
import { loadEngine, type Stores } from './worker/stores'
import { Tab } from './worker/tabs'

const post = (message: FromWorker): void => self.postMessage(message)

function broken(error: unknown): void {
  console.error(error)
  post({ type: 'crashed', error: isCrash(error) ? crashed(error) : asEngineError(error) })
  self.close()
}

const keyring = openKeyring()
let engine: Promise<Stores> | null = null
// Loaded while another tab owns the data, so that taking over is quick.
const load = () => (engine ??= Promise.all([loadEngine(), keyring.all()]).then(([stores]) => stores))

const tab = new Tab({
  id: crypto.randomUUID(),
  page: post,
  channel: (name) => new BroadcastChannel(name),
  locks: navigator.locks,
  async begin(audience, secret) {
    const [stores] = await Promise.all([load(), filesFree()])
    const service = new Service(stores, keyring, audience)
    await service.begin(secret)
    return service
  },
  broken,
})

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  try {
    if (data.type === 'start') {
      requireStorage()
      void load().catch(broken)
    }
    tab.take(data)
  } catch (error) {
    broken(error)
  }
})
