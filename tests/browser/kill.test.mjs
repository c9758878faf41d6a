/** Server and browser are killed in the middle of a push: nothing is lost, nothing is doubled. */
import assert from 'node:assert/strict'
import { STORES } from './support/hospital.mjs'
import { journey } from './support/journey.mjs'
import { Line } from './support/line.mjs'
import { sameEverywhere } from './support/tables.mjs'
import { go, signInOffline, supplies } from './support/ward.mjs'

const PATIENTS = 50
const TAKEN = 10

for (const [store, on] of Object.entries(STORES)) {
  journey(
    `kill -9 of server and browser in the middle of a push loses and doubles nothing on ${store}`,
    work,
    { on },
  )
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
    // Whatever the browser's switch does to one that has just started: there is no network.
    line.down()
    for (let number = 1; number <= PATIENTS; number += 1) {
      const values = { first_name: `Kim ${number}`, last_name: 'Killed', date_of_birth: '1990-01-01' }
      await phone.run({ type: 'registerPatient', values: { ...values, patient_number: `K-${number}` } })
    }
    for (let number = 0; number < TAKEN; number += 1) {
      await phone.run({ type: 'takeStock', supplyId: supply.id, quantity: 1, referenceNumber: 'KILLED' })
    }
    // What the device has taken is on it, with no moment between the last word and the end.
    await phone.kill()
    await phone.start()
    await phone.open()
    await signInOffline(phone, 'nurse')
    await phone.count('waiting', PATIENTS + TAKEN)

    // Half of the push has reached the server when both die; then all of it; then the server has stored it and answered.
    for (const after of ['half', 'whole', 'answer']) {
      const moment = line.cut(after)
      line.up()
      await phone.goOnline()
      await moment
      await Promise.all([server.kill(), phone.kill()])
      line.down()
      await server.start()
      await phone.start({ offline: true })
      await phone.open()
      await signInOffline(phone, 'nurse')
      await phone.count('waiting', PATIENTS + TAKEN)
      const stored = await storedPatients()
      if (after === 'half') assert.equal(stored, 0)
      if (after === 'answer') assert.equal(stored, PATIENTS)
      assert.ok(stored <= PATIENTS)
    }

    // Only the server dies: the device tries again by itself.
    const moment = line.cut('whole')
    line.up()
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
    const taken = await hospital.sql(
      `SELECT id FROM inventory_transactions WHERE reference_number = 'KILLED'`,
    )
    assert.equal(taken.length, TAKEN)
    const counter = await hospital.sql(`SELECT current_stock FROM supplies WHERE id = '${supply.id}'`)
    assert.deepEqual(counter, [{ current_stock: supply.stock - TAKEN }])

    console.log(
      `      4 kills of the server and 4 of the browser's process around a push: ` +
        `${PATIENTS + TAKEN} transactions acknowledged, each of them there once`,
    )

    const desk = await device('desk', { url: line.url })
    await go(desk, 'patients?find=Killed')
    await sameEverywhere([phone, desk], hospital)
  } finally {
    line.close()
  }
}
