/**
 * `node device.mjs URL USER PASSWORD PATIENTS`: the app on a device with so many patients, beside bare SQLite. Prints JSON:
 * milliseconds and bytes.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { APP, ROOT } from '../support/surroundings.mjs'
import { enter, go } from '../support/ward.mjs'
import { median, openBare } from './bare.mjs'
import { firstVisit, stage } from './visit.mjs'

const COMMANDS = 200
/** How many of them one side gives before it is the other's turn: what else the machine does meets both. */
const TURN = 20
/** Nobody taps again before the screen shows what the last tap did. In milliseconds. */
const PAUSE = 30
const SEARCHES = 15

const [url, username, password, patients] = process.argv.slice(2)
const found = {}
const say = (words) => console.error(`  ${words}`)

const { device } = await firstVisit(url, username, password)
const bare = await openBare()
try {
  await bare.call('open')
  await stage(device, bare)
  await bare.call('insert')
  await device.goOffline()
  const ids = (await device.query(`SELECT id FROM patients ORDER BY id LIMIT ${COMMANDS}`)).map(
    (row) => row.id,
  )

  say('commands')
  const [ours, others] = [[], []]
  for (let at = 0; at < COMMANDS; at += TURN) {
    const some = ids.slice(at, at + TURN)
    ours.push(...(await commands(some)))
    others.push(...(await bare.edits(some, PAUSE)))
  }
  found.command = median(ours)
  found.bareTransaction = median(others)

  say('searches')
  const sought = Array.from({ length: SEARCHES }, (_, at) => Math.floor((at * patients) / SEARCHES))
  found.search = median(await searches(sought.map((number) => `Klein-${number}`)))
  const searched = []
  for (const number of sought) searched.push((await bare.call('count', search(`Klein-${number}`))).took)
  found.bareSearch = median(searched)

  say('bytes')
  found.disk = await device.page.evaluate(async () => {
    const { usage, usageDetails } = await navigator.storage.estimate()
    return usageDetails?.fileSystem ?? usage
  })
  found.bareDisk = await bare.stored()
  found.app = readdirSync(APP, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(map|br)$/.test(entry.name))
    .map((entry) => brotli(path.join(entry.parentPath, entry.name)))
    .reduce((sum, size) => sum + size, 0)
  found.automerge = brotli(automerge())

  say('opening offline')
  await device.close()
  await device.start({ offline: true })
  const began = performance.now()
  await device.open()
  await device.see('sign-in-form')
  const asked = performance.now()
  await enter(device, username, password)
  const entered = performance.now()
  device.page.setDefaultTimeout(120_000)
  await device.page.locator('[data-bed-id]').first().waitFor()
  const shown = performance.now()
  found.unlock = shown - entered
  found.open = asked - began + found.unlock
  await bare.reopen()
  const opened = await bare.call('open')
  const beds = await bare.call('count', 'SELECT * FROM beds AS b JOIN rooms AS r ON r.id = b.room_id')
  found.bareOpen = opened.took + beds.took
  if (device.problems.length > 0) throw new Error(device.problems.join('\n'))
  console.log(JSON.stringify(found))
} finally {
  await bare.close()
  await device.close()
}

/** One column of one patient each, one after another. */
function commands(ids) {
  return device.page.evaluate(async ([ids, pause]) => {
    const times = []
    for (const [number, id] of ids.entries()) {
      const command = { type: 'editRow', table: 'patients', id, values: { phone: `+49 30 ${number}` } }
      const argument = { id: crypto.randomUUID(), command, mends: null }
      const began = performance.now()
      const { error } = await globalThis.askWorker({ name: 'run', argument })
      times.push(performance.now() - began)
      if (error) throw new Error(error.message)
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    return times
  }, [ids, PAUSE])
}

/** Types each name at once and waits until its one patient is all that shows. */
async function searches(names) {
  await go(device, 'patients')
  await device.page.locator('[data-search]').waitFor()
  const times = []
  for (const name of names) {
    const time = await device.page.evaluate(async (name) => {
      const input = document.querySelector('[data-search]')
      const shows = () => {
        const items = document.querySelectorAll('[data-testid=patient-list] a')
        return items.length > 0 && [...items].every((item) => item.textContent.includes(name))
      }
      const began = performance.now()
      input.value = name
      input.dispatchEvent(new Event('input', { bubbles: true }))
      while (!shows()) {
        if (performance.now() - began > 60_000) throw new Error(`${name} does not show`)
        await new Promise((resolve) => requestAnimationFrame(resolve))
      }
      return performance.now() - began
    }, name)
    times.push(time)
  }
  return times
}

/** As the app's own search finds patients (`web/src/screens/patients/queries.ts`). */
function search(text) {
  const columns = ['last_name', 'first_name', 'patient_number']
  const like = columns.map((column) => `${column} LIKE '%${text}%'`).join(' OR ')
  return `SELECT * FROM patients WHERE ${like} ORDER BY last_name, first_name, id LIMIT 60`
}

function brotli(file) {
  return brotliCompressSync(readFileSync(file)).length
}

/** What the Automerge library loads in a browser before it does anything. */
function automerge() {
  const require = createRequire(path.join(ROOT, 'tests/automerge/package.json'))
  return require.resolve('@automerge/automerge/automerge.wasm')
}
