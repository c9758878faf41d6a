/** The main job: what a ward does offline ends up in the hospital's tables. */
import assert from 'node:assert/strict'
import { STORES } from './support/hospital.mjs'
import { journey } from './support/journey.mjs'
import { sameEverywhere } from './support/tables.mjs'
import {
  admit,
  bed,
  discharge,
  doctor,
  freeBeds,
  go,
  patientsInBeds,
  register,
  seeBed,
  signInOffline,
  supplies,
  take,
  treat,
} from './support/ward.mjs'
import { Line } from './support/line.mjs'

const MIRA = {
  first_name: 'Mira',
  last_name: 'Offline',
  date_of_birth: '1979-04-05',
  patient_number: 'P-OFF-1',
}

for (const [store, on] of Object.entries(STORES)) {
  journey(`what a ward does offline ends up in the tables of ${store} and on another device`, work, { on })
}

async function work({ hospital, device }) {
  // The browser's own switch lets go while the browser closes; a real network would still be down then.
  const line = await Line.to(hospital.server)
  try {
    await offlineAndBack(hospital, device, line)
  } finally {
    line.close()
  }
}

async function offlineAndBack(hospital, device, line) {
  const phone = await device('phone', { url: line.url })
  const [free] = await freeBeds(phone)
  const [other] = await patientsInBeds(phone)
  const [supply] = await supplies(phone)
  const physician = await doctor(phone)

  await phone.goOffline()
  line.down()
  const patient = await register(phone, MIRA)
  await admit(phone, free.id, MIRA.patient_number)
  await phone.count('waiting', 2)

  await phone.page.reload()
  await phone.connection('offline')
  await seeBed(phone, free.id, 'occupied')
  await bed(phone, free.id).filter({ hasText: 'Offline, Mira' }).waitFor()

  const treatment = {
    type: 'medication',
    name: 'Metamizole',
    dosage: '500 mg',
    doctor: physician.name,
  }
  await treat(phone, free.id, treatment)
  await take(phone, supply.code, 3)
  await discharge(phone, other.bed, 'improved')
  await phone.count('waiting', 5)

  await phone.close()
  await phone.start()
  await phone.open()
  await signInOffline(phone, 'nurse')
  await phone.count('waiting', 5)
  await seesIt(phone)

  const stored = `SELECT id FROM patients WHERE patient_number = '${MIRA.patient_number}'`
  assert.deepEqual(await hospital.sql(stored), [])
  line.up()
  await phone.goOnline()
  await phone.inStep()
  await phone.notSee('status-rejected')
  await standsInTables()

  const desk = await device('desk', { username: 'doctor' })
  await seesIt(desk)
  await sameEverywhere([phone, desk], hospital)

  async function seesIt(one) {
    await seeBed(one, free.id, 'occupied')
    await bed(one, free.id).filter({ hasText: 'Offline, Mira' }).waitFor()
    await seeBed(one, other.bed, 'cleaning')
    await go(one, `patients/${patient}?tab=treatments`)
    await one.page.getByText('Metamizole').first().waitFor()
    await go(one, `stock?find=${supply.code}`)
    await one
      .id(`stock-${supply.code}`)
      .getByText(String(supply.stock - 3), { exact: true })
      .waitFor()
  }

  async function standsInTables() {
    const one = async (query) => {
      const rows = await hospital.sql(query)
      assert.equal(rows.length, 1, query)
      return rows[0]
    }
    const stored = await one(`SELECT * FROM patients WHERE patient_number = '${MIRA.patient_number}'`)
    assert.equal(stored.id, patient)
    assert.deepEqual(
      [stored.first_name, stored.last_name, stored.date_of_birth],
      [MIRA.first_name, MIRA.last_name, MIRA.date_of_birth],
    )
    const taken = await one(`SELECT status, patient_id, admission_date FROM beds WHERE id = '${free.id}'`)
    assert.deepEqual([taken.status, taken.patient_id], ['occupied', patient])
    assert.ok(taken.admission_date)
    const given = await one(`SELECT * FROM treatment_records WHERE patient_id = '${patient}'`)
    assert.deepEqual(
      [given.treatment_name, given.dosage, given.bed_id, given.doctor_id, given.status],
      ['Metamizole', '500 mg', free.id, physician.id, 'active'],
    )
    const [movement] = await hospital.sql(
      `SELECT * FROM inventory_transactions WHERE supply_id = '${supply.id}' ORDER BY transaction_date DESC`,
    )
    assert.deepEqual([movement.transaction_type, movement.quantity], ['out', 3])
    const counter = await one(`SELECT current_stock FROM supplies WHERE id = '${supply.id}'`)
    assert.equal(counter.current_stock, supply.stock - 3)
    const report = await one(
      `SELECT * FROM discharge_reports WHERE patient_id = '${other.id}' AND bed_id = '${other.bed}'
        AND discharge_condition = 'improved' AND discharge_date =
          (SELECT discharge_date FROM beds WHERE id = '${other.bed}')`,
    )
    assert.ok(report.report_number)
    const left = await one(`SELECT status, patient_id FROM beds WHERE id = '${other.bed}'`)
    assert.deepEqual([left.status, left.patient_id], ['cleaning', null])
    const turnover = await one(
      `SELECT * FROM bed_turnovers WHERE bed_id = '${other.bed}' AND previous_patient_id = '${other.id}'`,
    )
    assert.equal(turnover.status, 'initiated')
    const tasks = await hospital.sql(
      `SELECT t.status FROM bed_cleaning_tasks AS t JOIN bed_turnover_logs AS l ON l.id = t.turnover_log_id
        WHERE l.bed_id = '${other.bed}' AND l.previous_patient_id = '${other.id}'`,
    )
    assert.equal(tasks.length, 6)
    assert.ok(tasks.every((task) => task.status === 'pending'))
  }
}
