/**
 * The browser's process is killed again and again while somebody works: what a page was told is done is on the device and
 * reaches the server, once.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { onSqlite } from './support/hospital.mjs'
import { journey } from './support/journey.mjs'
import { sameEverywhere } from './support/tables.mjs'
import { go, signIn, signInOffline, supplies } from './support/ward.mjs'

/** How often it is killed. */
const KILLS = Number(process.env.HOLDFAST_BROWSER_KILLS ?? 5)
/** Milliseconds of work before that, at least and at most. */
const WORK = [200, 2_000]
/** Milliseconds of the journey, beside those for each kill. */
const PATIENCE = 150_000
const PATIENCE_PER_KILL = 30_000

/** Each command has a name, which its row carries; neither kind is kept by the tables from being done twice. */
const command = (name, number, supply) =>
  number % 2 === 0
    ? { type: 'refillStock', supplyId: supply.id, quantity: 1, referenceNumber: name }
    : {
        type: 'registerPatient',
        values: { first_name: name, last_name: 'Killed', date_of_birth: '1990-01-01' },
      }
const ROWS = `SELECT first_name AS name FROM patients WHERE last_name = 'Killed'
  UNION ALL SELECT reference_number AS name FROM inventory_transactions WHERE reference_number LIKE 'killed-%'`

/** Works until the browser ends; returns the names of what was answered. */
async function work(device, round, supply) {
  const answered = []
  try {
    for (let number = 1; ; number += 1) {
      const name = `killed-${round}-${number}`
      await device.run(command(name, number, supply))
      answered.push(name)
    }
  } catch (error) {
    // The end of the browser is no failure; what the engine refuses is one.
    if (device.context === null) return answered
    throw error
  }
}

/** How the names in the tables differ from those that were answered. */
function compare(rows, answered) {
  const names = rows.map((row) => row.name)
  const stored = new Set(names)
  return {
    lost: answered.filter((name) => !stored.has(name)),
    doubled: names.filter((name, at) => names.indexOf(name) !== at),
    unheard: [...stored].filter((name) => !answered.includes(name)),
  }
}

journey(
  `the browser's process is killed ${KILLS} times at work, and nothing that was acknowledged is lost or doubled`,
  async ({ hospital, device }) => {
    const phone = await device('phone')
    const [supply] = await supplies(phone)
    const answered = []
    for (let round = 1; round <= KILLS; round += 1) {
      // By turns while it exchanges with the server, and without a network.
      const offline = round % 2 === 0
      if (offline) await phone.goOffline()
      const working = work(phone, round, supply)
      await Promise.race([working, pause(randomInt(...WORK))])
      await phone.kill()
      answered.push(...(await working))

      await phone.start({ offline })
      await phone.open()
      if (offline) await signInOffline(phone, 'nurse')
      else await signIn(phone, 'nurse')
      const { lost, doubled } = compare(await phone.query(ROWS), answered)
      assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] }, `on the device, after ${round} kills`)
      await phone.goOnline()
    }
    await phone.inStep()
    await phone.notSee('status-rejected')
    await phone.count('conflicts', 0)

    const [rows, [stock]] = await hospital.sqlAll([
      ROWS,
      `SELECT current_stock AS now FROM supplies WHERE id = '${supply.id}'`,
    ])
    const { lost, doubled, unheard } = compare(rows, answered)
    console.log(
      `      ${KILLS} kills of the browser's process: ${answered.length} transactions acknowledged, ` +
        `${lost.length} lost, ${doubled.length} doubled; ${unheard.length} more were done and not heard of`,
    )
    assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] })
    assert.ok(answered.length >= KILLS, `only ${answered.length} were acknowledged`)
    // What was under way at a kill, and nothing else.
    assert.ok(unheard.length <= KILLS, `nobody asked for ${unheard}`)
    const refilled = await hospital.sql(
      `SELECT id FROM inventory_transactions WHERE reference_number LIKE 'killed-%'`,
    )
    assert.equal(stock.now, supply.stock + refilled.length)

    const desk = await device('desk')
    await go(desk, 'patients?find=Killed')
    await sameEverywhere([phone, desk], hospital)
  },
  { on: onSqlite, patience: PATIENCE + KILLS * PATIENCE_PER_KILL },
)
