/** What the test command gives the journeys, with what is found on a machine where a file is run by hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import path from 'node:path'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** The packages are those of the ward app: there is nothing else to install. */
const require = createRequire(path.join(ROOT, 'web/package.json'))
export const { chromium } = require('playwright-core')
export const openSqlJs = require('sql.js')

export const SERVER = process.env.HOLDFAST_SERVER_BIN ?? path.join(ROOT, 'target/debug/sync-server')
export const APP = process.env.HOLDFAST_WEB_DIST ?? path.join(ROOT, 'web/dist')
export const CHROMIUM = process.env.HOLDFAST_CHROMIUM ?? '/usr/bin/chromium'
export const FAILURES = path.join(ROOT, 'target/browser-failures')

/** A PostgreSQL superuser's URL. */
export function postgresUrl() {
  const url = process.env.HOLDFAST_TEST_POSTGRES
  if (!url) throw new Error('HOLDFAST_TEST_POSTGRES is not set: run `cargo xtask test --only browser`')
  return url
}

/** A folder for one test file's stores and browser profiles; gone when its process ends. */
export const SCRATCH = mkdtempSync(path.join(tmpdir(), 'holdfast-journey-'))
process.on('exit', () => rmSync(SCRATCH, { recursive: true, force: true, maxRetries: 3 }))

let folders = 0
export function newFolder(name) {
  folders += 1
  return path.join(SCRATCH, `${name}-${folders}`)
}
