/**
 * A journey: a test with a hospital and devices that are put away afterwards; of what went wrong there are pictures and
 * what the pages warned of.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { Device } from './device.mjs'
import { onPostgres } from './hospital.mjs'
import { signIn } from './ward.mjs'
import { FAILURES } from './surroundings.mjs'

/** `work` gets `{ hospital, device, visitor }`; `patience` are the milliseconds that it may take. */
export function journey(name, work, { on = onPostgres, patience = 150_000 } = {}) {
  test(name, { timeout: patience }, async () => {
    const hospital = await on()
    const devices = []
    /** A browser that has not been here yet. */
    const visitor = async (called, { url = hospital.url, ...options } = {}) => {
      const device = new Device(called, url, options)
      devices.push(device)
      await device.start()
      await device.open()
      return device
    }
    /** A device on which somebody has signed in and the hospital's first copy is complete. */
    const device = async (called, { username = 'nurse', ...options } = {}) => {
      const made = await visitor(called, options)
      await signIn(made, username)
      return made
    }
    try {
      await work({ hospital, device, visitor })
      const problems = devices.flatMap((one) => one.problems.map((problem) => `${one.name}: ${problem}`))
      if (problems.length > 0) throw new Error(`a page failed: ${problems.join('\n')}`)
    } catch (error) {
      await keepPictures(name, devices, hospital)
      throw error
    } finally {
      await Promise.all(devices.map((one) => one.close().catch(() => undefined)))
      await hospital.close()
    }
  })
}

async function keepPictures(name, devices, { server, hub }) {
  mkdirSync(FAILURES, { recursive: true })
  const stem = path.join(FAILURES, name.replace(/[^a-z0-9]+/gi, '-').slice(0, 80))
  writeFileSync(`${stem}.server.log`, server.log)
  console.error(`the server's log: ${stem}.server.log`)
  if (hub) {
    writeFileSync(`${stem}.hub.log`, hub.server.log)
    console.error(`the hub's log: ${stem}.hub.log`)
  }
  for (const device of devices) {
    for (const warning of device.warnings) console.error(`${device.name} warned: ${warning}`)
    for (const [at, page] of device.pages.entries()) {
      const file = `${stem}-${device.name}-${at + 1}.png`
      const taken = await page.screenshot({ path: file, timeout: 5_000 }).then(
        () => true,
        () => false,
      )
      if (taken) console.error(`what ${device.name} showed: ${file}`)
    }
  }
}
