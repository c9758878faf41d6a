/** Whether this browser can keep data at all, and whether the files of the tab before are free. */
import type { EngineError } from '../port'

/** The pool's folder; named in `wasm/src/browser/storage.rs`. */
const FOLDER = ['holdfast', '.opaque']
/** Milliseconds for the worker of a tab that is just ending. */
const PATIENCE = 2_000
const AGAIN = 20

/** Throws an `EngineError` where data cannot be kept. */
export function requireStorage(): void {
  if (!isSecureContext || !navigator.storage?.getDirectory || !navigator.locks) throw noStorage()
}

/** A worker that has ended may keep its files a moment longer than its lock. Throws `locked` if another keeps them. */
export async function filesFree(): Promise<void> {
  const until = performance.now() + PATIENCE
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
  message: 'Holdfast is asleep in another tab of this browser. Use that tab, or close it.',
})

const noStorage = (): EngineError => ({
  code: 'store',
  message: isSecureContext
    ? 'This browser gives Holdfast no place to keep data. Use a current Chrome, Edge, Firefox or Safari, not in a private window.'
    : 'Browsers keep data for Holdfast only over a secure connection. Open this address with https://, or on the server itself as http://localhost.',
})
