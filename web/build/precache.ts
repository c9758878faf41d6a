/**
 * Writes the list of built files into the service worker, so that one visit is enough to open the app offline.
 * It reads the finished folder instead of the bundler's books: whatever was emitted (page, engine, worker, icons) is listed.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import type { Plugin, ResolvedConfig } from 'vite'

const WORKER = 'service-worker.js'
const PLACE = '__PRECACHE__'

/** A file's address below the app's root, and the digest of its bytes. */
export type Precached = [path: string, revision: string]

export function listBuilt(folder: string): Precached[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file): Precached => [relative(folder, file).split(sep).join('/'), digest(file)])
    .filter(([path]) => path !== WORKER && !path.endsWith('.map') && !/\.(br|gz)$/.test(path))
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)
}

export function precache(): Plugin {
  let config: ResolvedConfig
  return {
    name: 'holdfast-precache',
    apply: 'build',
    configResolved(resolved) {
      config = resolved
    },
    closeBundle() {
      const folder = resolve(config.root, config.build.outDir)
      const worker = join(folder, WORKER)
      const source = readFileSync(worker, 'utf8')
      if (!source.includes(PLACE)) this.error(`${WORKER} has no ${PLACE} to put the list of files in`)
      writeFileSync(worker, source.replace(PLACE, JSON.stringify(listBuilt(folder))))
    },
  }
}
