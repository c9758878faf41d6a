/** A device of the ward: a real Chromium with a profile of its own, which can be closed, killed and opened again. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
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

  /** What its pages and their workers warned of, which is nothing that a person sees. */
  warnings = []

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
    this.#follow(this.page, this.name)
  }

  #follow(page, called) {
    page.on('pageerror', (error) => this.problems.push(String(error)))
    page.on('console', (message) => {
      const tells = ['error', 'warning'].includes(message.type())
      if (tells) this.warnings.push(`${new Date().toISOString()} ${called}: ${message.text()}`)
    })
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

  /** Another tab of the same browser, as a device whose page it is. */
  async tab(called, hash = '') {
    const tab = Object.create(this, {
      name: { value: called },
      page: { value: await this.#context.newPage(), writable: true },
    })
    this.#follow(tab.page, called)
    await tab.page.goto(this.url + hash)
    return tab
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

  /** Everything that the browser keeps on disk of this device: file by file. Only while the browser is closed. */
  *onDisk() {
    for (const entry of readdirSync(this.#profile, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = path.join(entry.parentPath, entry.name)
      yield { file, bytes: readFileSync(file) }
    }
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
    await shown(this, `[data-testid=status-connection][data-connection=${state}]`, patience)
  }

  /** What the tab does not survive: its renderer is gone from one moment to the next. */
  async crash() {
    const gone = new Promise((resolve) => this.page.once('crash', resolve))
    const devtools = await this.page.context().newCDPSession(this.page)
    devtools.send('Page.crash').catch(() => undefined)
    await gone
  }

  /** What a page is told when somebody turns to another tab. The driver keeps every page visible, so it is said to it. */
  async hide() {
    await this.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    })
  }

  /** What a page is told last before the browser stops it for a while. */
  async freeze() {
    await this.hide()
    await this.page.evaluate(() => void document.dispatchEvent(new Event('freeze')))
  }

  /** Names the tab that has the device's data open. */
  async owner() {
    return this.page.evaluate(async () => {
      const { held } = await navigator.locks.query()
      return held.find((lock) => lock.name === 'holdfast-owner')?.clientId
    })
  }

  async count(of, number, patience = 30_000) {
    await shown(this, `[data-testid=status-${of}][data-count="${number}"]`, patience)
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

/** Waits until the device's page shows it; what fails tells what it showed instead. */
async function shown({ name, page }, selector, timeout) {
  try {
    await page.locator(selector).waitFor({ timeout })
  } catch (error) {
    const marks = '[data-testid^=status-], [data-testid=problem], [data-testid=sign-in-form]'
    const instead = await page
      .locator(marks)
      .evaluateAll((all) => all.map((one) => JSON.stringify({ ...one.dataset, text: one.innerText })))
      .catch(() => ['a page that does not answer'])
    error.message += `\n${name} showed: ${instead.join('\n') || 'nothing that is known'}`
    throw error
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
  const unanswered = new Map()
  const followers = new Set()
  const say = (message) => worker.postMessage(message)
  const hear = ({ data }) => {
    // Another tab owns the data from now on: as the app does, what is unanswered is asked again under the same name.
    if (data.type === 'linked') for (const { message } of unanswered.values()) say(message)
    if (data.status) for (const tell of followers) tell(data.status)
    const asked = unanswered.get(data.id)
    if (!asked || (data.type !== 'answer' && data.type !== 'refusal')) return
    unanswered.delete(data.id)
    asked.resolve(data.type === 'answer' ? { answer: data.answer } : { error: data.error })
  }
  globalThis.Worker = class extends Native {
    constructor(...options) {
      super(...options)
      worker = this
      this.addEventListener('message', hear)
    }
  }
  globalThis.followStatus = (callback) => {
    followers.add(callback)
    return () => followers.delete(callback)
  }
  globalThis.askWorker = ({ name, argument }) =>
    new Promise((resolve) => {
      if (!worker) return resolve({ error: { code: 'test', message: 'there is no worker yet' } })
      const id = (last += 1)
      const message = { type: 'call', id, name, argument }
      unanswered.set(id, { message, resolve })
      say(message)
    })
}
