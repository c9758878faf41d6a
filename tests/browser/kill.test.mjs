/** Server and browser are killed in the middle of a push: nothing is lost, nothing is doubled. */
import assert from 'node:assert/strict'
import { STORES } from './support/hospital.mjs'
import { journey } from './support/journey.mjs'
import { Line } from './support/line.mjs'
import { sameEverywhere } from './support/tables.mjs'
import { go, supplies } from './support/ward.mjs'

const PATIENTS = 50
const TAKEN = 10

for (const [store, on] of Object.entries(STORES)) {
  journey(`kill -9 of server and browser in the middle of a push loses and doubles nothing on ${store}`, work, { on })
}

async function work({ hospital, device }) {
  const { server } = hospital
  const line = await Line.to(server)
  const storedPatients = async () =>
    (await hospital.sql(`SELECT id FROM patients WHERE last_name = 'Killed'`)).length
  try {
    const phone = await device('phone', { url: line.url })
    const [supply] = await supplies(phone)
    await phone.goOffline()
    for (let number = 1; number <= PATIENTS; number += 1) {
      const values = { first_name: `Kim ${number}`, last_name: 'Killed', date_of_birth: '1990-01-01' }
      await phone.run({ type: 'registerPatient', values: { ...values, patient_number: `K-${number}` } })
    }
    for (let number = 0; number < TAKEN; number += 1) {
      await phone.run({ type: 'takeStock', supplyId: supply.id, quantity: 1, referenceNumber: 'KILLED' })
    }
    const waiting = PATIENTS + TAKEN
    await phone.count('waiting', waiting)

    // Half of the push has reached the server when both die.
    let moment = line.cut('request')
    await phone.goOnline()
    await moment
    await Promise.all([server.kill(), phone.kill()])
    assert.equal(await waitingAfterStart(phone, line, server), waiting)
    assert.equal(await storedPatients(), 0)

    // The server has stored the push; its answer never arrives.
    moment = line.cut('answer')
    await phone.goOnline()
    await moment
    await Promise.all([server.kill(), phone.kill()])
    assert.equal(await waitingAfterStart(phone, line, server), waiting)
    assert.equal(await storedPatients(), PATIENTS)

    // The server dies while it works, wherever it is: the device stays and tries again by itself.
    moment = line.cut('answer')
    await phone.goOnline()
    await moment
    await server.kill()
    line.mend()
    await server.start()
    await phone.inStep()

    await phone.notSee('status-rejected')
    await phone.count('conflicts', 0)
    const stored = await hospital.sql(`SELECT patient_number FROM patients WHERE last_name = 'Killed'`)
    assert.equal(stored.length, PATIENTS)
    assert.equal(new Set(stored.map((row) => row.patient_number)).size, PATIENTS)
    const taken = await hospital.sql(`SELECT id FROM inventory_transactions WHERE reference_number = 'KILLED'`)
    assert.equal(taken.length, TAKEN)
    const counter = await hospital.sql(`SELECT current_stock FROM supplies WHERE id = '${supply.id}'`)
    assert.deepEqual(counter, [{ current_stock: supply.stock - TAKEN }])

    const desk = await device('desk', { url: line.url })
    await go(desk, 'patients?find=Killed')
    await sameEverywhere([phone, desk])
  } finally {
    line.close()
  }
}

/** Starts both again, the device without a network: what still waits on it. */
async function waitingAfterStart(phone, line, server) {
  line.mend()
  await server.start()
  await phone.start({ offline: true })
  await phone.open()
  await phone.connection('offline')
  const text = await phone.id('status-waiting').getAttribute('data-count')
  return Number(text)
}
