/** SQLite without Holdfast, in a page of its own: what the app's times are held against. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { Device } from '../support/device.mjs'

const FOLDER = process.env.HOLDFAST_BARE_SQLITE
if (!FOLDER) throw new Error('HOLDFAST_BARE_SQLITE is not set: run `cargo xtask bench device`')

/** Only a page isolated from other origins gets the finer clock. */
const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}
const types = { '.js': 'text/javascript', '.wasm': 'application/wasm' }

/** The worker: calls a method of `Bare` and tells how long that took, in milliseconds. */
const WORKER = `
import load, { Bare } from '/holdfast_bare_sqlite.js'
let bare = null
self.onmessage = async ({ data: { method, parameters } }) => {
  try {
    const began = performance.now()
    let answer = null
    if (method === 'open') {
      await load({ module_or_path: '/holdfast_bare_sqlite_bg.wasm' })
      bare = await Bare.open()
    } else answer = bare[method](...parameters)
    self.postMessage({ took: performance.now() - began, answer })
  } catch (error) {
    self.postMessage({ error: String(error) })
  }
}`

/** A browser with nothing in it but the module. */
export async function openBare() {
  const server = createServer((request, response) => {
    const name = path.basename(new URL(request.url, 'http://localhost').pathname)
    const type = types[path.extname(name)] ?? 'text/html'
    response.writeHead(200, { ...isolated, 'Content-Type': type })
    if (name === 'worker.js') response.end(WORKER)
    else if (type === 'text/html') response.end('<!doctype html><title>SQLite</title>')
    else response.end(readFileSync(path.join(FOLDER, name)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const browser = new Device('bare', `http://127.0.0.1:${server.address().port}/`)
  await browser.start()
  await browser.open()

  const begin = () =>
    browser.page.evaluate(() => {
      const worker = new Worker('/worker.js', { type: 'module' })
      globalThis.bare = (method, parameters) =>
        new Promise((resolve, reject) => {
          worker.onerror = (event) => reject(new Error(event.message))
          worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data))
          worker.postMessage({ method, parameters })
        })
    })
  await begin()
  const call = (method, ...parameters) =>
    browser.page.evaluate(([name, given]) => globalThis.bare(name, given), [method, parameters])
  return {
    /** `{ took, answer }`: milliseconds within the worker, and what the method returned. */
    call,
    /** One column of one patient each, with a pause after each: milliseconds from the page's call to its answer. */
    edits: (ids, pause) =>
      browser.page.evaluate(async ([ids, pause]) => {
        const times = []
        for (const [number, id] of ids.entries()) {
          const began = performance.now()
          await globalThis.bare('edit', [id, `+49 30 ${number}`])
          times.push(performance.now() - began)
          await new Promise((resolve) => setTimeout(resolve, pause))
        }
        return times
      }, [ids, pause]),
    /** As after the browser was closed: a new page, nothing in memory. */
    async reopen() {
      await browser.close()
      await browser.start()
      await browser.open()
      await begin()
    },
    stored: () => browser.page.evaluate(async () => (await navigator.storage.estimate()).usage),
    async close() {
      await browser.close()
      server.close()
    },
  }
}

/** The middle one. */
export function median(times) {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
