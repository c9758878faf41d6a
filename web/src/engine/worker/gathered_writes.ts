/**
 * SQLite writes a commit page by page, each with a head of its own: two dozen calls to the browser's file system for one edit,
 * which take longer than the bytes do. Here writes that lie behind each other become one.
 *
 * ```text
 *  SQLite ──► write, write, write … ──► gathered ──► one write ──► OPFS
 *                                          ▲
 *                 read, flush, truncate, getSize, close: first what is held
 * ```
 *
 * *Invariant*: nothing is held any more when `flush` returns, and SQLite calls no commit done before. What is held when the
 * worker dies was not flushed, and counted for nothing.
 */

/** A file as dedicated workers have it; TypeScript's DOM library describes pages. */
export interface SyncFile {
  read(into: Uint8Array, options: { at: number }): number
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(size: number): void
  getSize(): number
  flush(): void
  close(): void
}

/** Whoever hands files out: `FileSystemFileHandle.prototype`. */
export interface Opener {
  createSyncAccessHandle(): Promise<SyncFile>
}

/** Bytes that are held at most: some pages more than a command writes. */
const ROOM = 256 * 1024

/** From now on every file that is opened gathers its writes. The engine's file pool opens its files itself, by this method. */
export function gatherWrites(opener: Opener): void {
  const open = opener.createSyncAccessHandle
  opener.createSyncAccessHandle = async function (this: Opener) {
    return new GatheringFile(await open.call(this))
  }
}

class GatheringFile implements SyncFile {
  #held: Uint8Array<ArrayBuffer> | null = null
  #at = 0
  #length = 0

  constructor(private readonly file: SyncFile) {}

  write(bytes: Uint8Array, { at }: { at: number }): number {
    if (at !== this.#at + this.#length || this.#length + bytes.length > ROOM) this.#letGo()
    if (bytes.length > ROOM) return this.file.write(bytes, { at })
    // Of the pool's files only those of the open store are written to.
    this.#held ??= new Uint8Array(ROOM)
    if (this.#length === 0) this.#at = at
    this.#held.set(bytes, this.#length)
    this.#length += bytes.length
    return bytes.length
  }

  read(into: Uint8Array, options: { at: number }): number {
    this.#letGo()
    return this.file.read(into, options)
  }

  truncate(size: number): void {
    this.#letGo()
    this.file.truncate(size)
  }

  getSize(): number {
    this.#letGo()
    return this.file.getSize()
  }

  flush(): void {
    this.#letGo()
    this.file.flush()
  }

  close(): void {
    try {
      this.#letGo()
    } finally {
      this.file.close()
    }
  }

  /** Whoever asked for something hears what became of what was held before: SQLite takes the whole commit back then. */
  #letGo(): void {
    if (this.#held === null || this.#length === 0) return
    const held = this.#held.subarray(0, this.#length)
    this.#length = 0
    const written = this.file.write(held, { at: this.#at })
    if (written !== held.length) throw new Error(`Of ${held.length} bytes ${written} could be written.`)
  }
}
