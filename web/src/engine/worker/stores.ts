/** The encrypted stores of this device, one for each person: the wasm engine's side of it. */
import initialize, { Engine, releaseFiles, removeStore, storedFiles } from '../pkg/holdfast_wasm.js'
import moduleAddress from '../pkg/holdfast_wasm_bg.wasm?url'
import { gatherWrites, type Opener } from './gathered_writes'
import { replicaOf, type Replica } from './replica'

export interface Stores {
  /** Opens or makes a store. `key` has 32 bytes; null is for a store of an earlier version, which was not encrypted. */
  open(file: string, key: Uint8Array | null): Promise<Replica>
  /** The names of the files that are there. */
  files(): Promise<string[]>
  /** Removes a store that is closed. */
  remove(file: string): Promise<void>
  /** Lets go of all files, so that another tab can have them. None may be open. */
  release(): Promise<void>
}

/** Fetches and compiles the engine; nothing of the device is touched yet. */
export async function loadEngine(): Promise<Stores> {
  await initialize({ module_or_path: moduleAddress })
  gatherWrites(FileSystemFileHandle.prototype as unknown as Opener)
  return {
    open: async (file, key) => replicaOf(await Engine.open(file, key ?? undefined)),
    files: storedFiles,
    remove: removeStore,
    release: releaseFiles,
  }
}
