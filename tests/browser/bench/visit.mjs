/** A new device's first visit, until it has the whole hospital. */
import { Device } from '../support/device.mjs'
import { enter } from '../support/ward.mjs'

/** Milliseconds for a device to copy a hospital. */
const PATIENCE = 600_000

/** Opens the app on a new device and signs in. Returns the device, and how many milliseconds the first sync took. */
export async function firstVisit(url, username, password) {
  const device = new Device('bench', url)
  await device.start()
  await device.open()
  await device.see('sign-in-form')
  const copied = device.page.evaluate(
    () =>
      new Promise((resolve) => {
        let began = null
        globalThis.followStatus((status) => {
          if (status.firstSync) began ??= performance.now()
          const done = began !== null && !status.firstSync && status.connection === 'online'
          if (done) resolve(performance.now() - began)
        })
      }),
  )
  await enter(device, username, password)
  device.page.setDefaultTimeout(PATIENCE)
  const took = await copied
  await device.notSee('first-sync')
  await device.page.evaluate(async () => void (await navigator.serviceWorker.ready))
  if (device.problems.length > 0) throw new Error(device.problems.join('\n'))
  return { device, took }
}

/** Stages the hospital's rows in a bare SQLite, as the device has them. */
export async function stage(device, bare) {
  const { answer: tables } = await bare.call('tables')
  for (const table of tables) {
    // In pieces: a message has its limits.
    for (let offset = 0; ; offset += 10_000) {
      const rows = await device.ask('query', {
        sql: `SELECT * FROM ${table} ORDER BY 1, 2 LIMIT 10000 OFFSET ${offset}`,
        parameters: [],
      })
      if (rows === '[]') break
      await bare.call('stage', table, rows)
    }
  }
}
