/** A device of the ward: a real Chromium with a profile of its own, which can be closed, killed and opened again. */
import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { eventually } from './patience.mjs'
import { chromium, CHROMIUM, newFolder } from './surroundings.mjs'

const SWITCHES = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const WIDE = { width: 1280, height: 800 }

export class Device {
  #context = null
  #profile
  #offline = false
  #viewport

  /** What its pages failed with. */
  problems = []

  constructor(name, url, { viewport = WIDE } = {}) {
    this.name = name
    this.url = url
    this.#viewport = viewport
    this.#profile = newFolder(`profile-${name}`)
  }

  /** Starts the browser; without a word about the network that is as it was when the browser ended. */
  async start({ offline = this.#offline } = {}) {
    this.#offline = offline
    this.#context = await chromium.launchPersistentContext(this.#profile, {
      executablePath: CHROMIUM,
      headless: true,
      chromiumSandbox: false,
      args: SWITCHES,
      viewport: this.#viewport,
      offline,
      timezoneId: 'Europe/Berlin',
      locale: 'en-GB',
    })
    this.#context.setDefaultTimeout(15_000)
    await this.#context.addInitScript(keepWorkerInSight)
    this.page = this.#context.pages()[0] ?? (await this.#context.newPage())
    this.page.on('pageerror', (error) => this.problems.push(String(error)))
  }

  async open(hash = '') {
    await this.page.goto(this.url + hash)
  }

  get context() {
    return this.#context
  }

  get pages() {
    return this.#context?.pages() ?? []
  }

  /** The browser's own switch. */
  async goOffline() {
    this.#offline = true
    await this.#context.setOffline(true)
    await this.connection('offline')
  }

  async goOnline() {
    this.#offline = false
    await this.#context.setOffline(false)
  }

  async close() {
    const context = this.#context
    this.#context = null
    await context?.close()
  }

  /** As the battery does: no program of the browser gets to do anything any more. */
  async kill() {
    const context = this.#context
    this.#context = null
    const browser = Number(readlinkSync(`${this.#profile}/SingletonLock`).split('-').at(-1))
    const closed = new Promise((resolve) => context.once('close', resolve))
    process.kill(browser, 'SIGKILL')
    await closed
    await eventually('the browser has ended', () => !isRunning(browser))
  }

  // What a person sees.

  id(testid) {
    return this.page.getByTestId(testid)
  }

  async see(testid) {
    await this.id(testid).first().waitFor()
  }

  async notSee(testid) {
    await this.id(testid).first().waitFor({ state: 'detached' })
  }

  async connection(state, patience = 20_000) {
    await this.page
      .locator(`[data-testid=status-connection][data-connection=${state}]`)
      .waitFor({ timeout: patience })
  }

  async count(of, number, patience = 30_000) {
    await this.page
      .locator(`[data-testid=status-${of}][data-count="${number}"]`)
      .waitFor({ timeout: patience })
  }

  /** All that was done here has reached the server, and all that the server had is here. */
  async inStep() {
    await this.connection('online', 70_000)
    await this.count('waiting', 0)
  }

  // What the engine says, past the screens: by the messages that the page itself exchanges with its worker.

  /** Rows of the device's own tables. */
  async query(sql, parameters = []) {
    return JSON.parse(await this.ask('query', { sql, parameters }))
  }

  async one(sql, parameters = []) {
    const rows = await this.query(sql, parameters)
    if (rows.length !== 1) throw new Error(`${rows.length} rows instead of one: ${sql}`)
    return rows[0]
  }

  run(command) {
    return this.ask('run', { id: randomUUID(), command, mends: null })
  }

  async ask(name, argument) {
    const { answer, error } = await this.page.evaluate((question) => globalThis.askWorker(question), {
      name,
      argument,
    })
    if (error) throw new Error(`${name}: ${error.code}: ${error.message}`)
    return answer
  }
}

function isRunning(process_id) {
  try {
    return process.kill(process_id, 0)
  } catch {
    return false
  }
}

/** Runs in the page before its own scripts. */
function keepWorkerInSight() {
  const Native = globalThis.Worker
  let worker = null
  let last = 1_000_000
  globalThis.Worker = class extends Native {
    constructor(...options) {
      super(...options)
      worker = this
    }
  }
  globalThis.askWorker = ({ name, argument }) =>
    new Promise((resolve) => {
      if (!worker) return resolve({ error: { code: 'test', message: 'there is no worker yet' } })
      const id = (last += 1)
      const listen = ({ data }) => {
        if (data.id !== id) return
        worker.removeEventListener('message', listen)
        resolve(data.type === 'answer' ? { answer: data.answer } : { error: data.error })
      }
      worker.addEventListener('message', listen)
      worker.postMessage({ type: 'call', id, name, argument })
    })
}
