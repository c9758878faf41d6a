/**
 * One tab owns the replica. A lock of the browser says which: it goes with the worker, however that ends, so that the next
 * tab can open. It is held here and not in the page, because the worker is what has the files open.
 */
import type { EngineError } from '../port'

const LOCK = 'holdfast-replica'
/** The pool's folder; named in `wasm/src/browser/storage.rs`. */
const FOLDER = ['holdfast', '.opaque']
/** Milliseconds for the worker of a page that is just being left. */
const PATIENCE = 2_000
const AGAIN = 50

/** Resolves when the replica is this worker's, until the worker ends. Rejects with `locked`, or `store` if it cannot be. */
export async function ownReplica(): Promise<void> {
  if (!isSecureContext || !navigator.storage?.getDirectory || !navigator.locks) throw noStorage()
  await ownLock()
  await handlesFree(performance.now() + PATIENCE)
}

function ownLock(): Promise<void> {
  return new Promise((resolve, reject) => {
    const held = () => {
      resolve()
      return new Promise<never>(() => undefined)
    }
    navigator.locks
      .request(LOCK, { signal: AbortSignal.timeout(PATIENCE) }, held)
      .catch(() => reject(locked()))
  })
}

/** A worker that has ended may keep its files a moment longer than its lock. */
async function handlesFree(until: number): Promise<void> {
  for (;;) {
    try {
      for (const file of await poolFiles()) (await file.createSyncAccessHandle()).close()
      return
    } catch (error) {
      const busy = error instanceof DOMException && error.name === 'NoModificationAllowedError'
      if (!busy) throw error
      if (performance.now() > until) throw locked()
      await new Promise((resolve) => setTimeout(resolve, AGAIN))
    }
  }
}

/** As dedicated workers have it; TypeScript's DOM library describes pages. */
interface PoolFile extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<{ close(): void }>
}

async function poolFiles(): Promise<PoolFile[]> {
  let folder = await navigator.storage.getDirectory()
  const files: PoolFile[] = []
  try {
    for (const name of FOLDER) folder = await folder.getDirectoryHandle(name)
    for await (const entry of folder.values()) if (entry.kind === 'file') files.push(entry as PoolFile)
  } catch (error) {
    // The first visit: there is no folder yet.
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error
  }
  return files
}

const locked = (): EngineError => ({
  code: 'locked',
  message: 'Holdfast is open in another tab of this browser. Use that tab, or close it and try again here.',
})

const noStorage = (): EngineError => ({
  code: 'store',
  message: isSecureContext
    ? 'This browser gives Holdfast no place to keep data. Use a current Chrome, Edge, Firefox or Safari, not in a private window.'
    : 'Browsers keep data for Holdfast only over a secure connection. Open this address with https://, or on the server itself as http://localhost.',
})
