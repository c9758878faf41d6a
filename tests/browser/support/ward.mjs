/** What people of the ward do, by the screens they do it on. */
import assert from 'node:assert/strict'

/** Fills in the sign-in form and sends it. */
export async function enter(device, username, password) {
  await device.see('sign-in-form')
  const another = device.id('another-user')
  if (await another.isVisible()) await another.click()
  await device.page.locator('[name=username]').fill(username)
  await device.page.locator('[name=password]').fill(password)
  await device.id('sign-in-submit').click()
}

/** Somebody who has signed in on this device before, without a network. */
export async function signInOffline(device, username, password = 'demo') {
  await enter(device, username, password)
  await device.connection('offline')
}

export async function signIn(device, username, password = 'demo') {
  await enter(device, username, password)
  await device.see('status-connection')
  await device.connection('online')
  await device.notSee('first-sync')
  // Only what the service worker has can be opened again without a network.
  await device.page.evaluate(async () => void (await navigator.serviceWorker.ready))
}

export async function signOut(device) {
  // On a phone it is behind "More".
  const more = device.id('more')
  if (await more.isVisible()) await more.click()
  await device.page.getByRole('button', { name: 'Sign out' }).first().click()
  await device.id('confirm').getByRole('button', { name: 'Sign out' }).click()
  await device.see('sign-in-form')
}

/** To a screen, by its address. */
export async function go(device, place) {
  await device.page.evaluate((hash) => (location.hash = hash), `#/${place}`)
  await device.see(`screen-${place.split(/[/?]/)[0]}`)
}

async function choose(device, field, text) {
  const input = device.id(`field-${field}`)
  await input.click()
  await input.fill(text)
  await device.page.getByRole('option', { name: text }).first().click()
}

/** Sends a form that the device must take. */
async function submit(device, form) {
  await device.id(`${form}-submit`).click()
  await device.notSee(form)
}

/** Returns the new patient's id. */
export async function register(device, values) {
  await go(device, 'patients')
  await device.id('register-patient').click()
  for (const [name, value] of Object.entries(values)) {
    const field = device.id(`field-${name}`)
    const isChoice = await field.evaluate((element) => element.tagName === 'SELECT')
    if (isChoice) await field.selectOption(value)
    else await field.fill(value)
  }
  await submit(device, 'register-form')
  await device.see('chart-name')
  const id = new URL(device.page.url()).hash.split('/')[2]
  assert.match(id, /^[0-9a-f-]{36}$/)
  return id
}

export function bed(device, id) {
  return device.page.locator(`[data-bed-id="${id}"]`)
}

/** Waits until the board shows the bed in this state. */
export async function seeBed(device, id, status) {
  await go(device, 'board?department=all')
  await device.page.locator(`[data-bed-id="${id}"][data-status="${status}"]`).waitFor()
}

async function openBed(device, id) {
  await go(device, 'board?department=all')
  await bed(device, id).click()
  await device.see('bed-sheet')
}

async function closeSheet(device, testid) {
  await device.id(testid).getByRole('button', { name: 'Close' }).click()
  await device.notSee(testid)
}

/** `patient` is what to search by: the patient number. */
export async function admit(device, bedId, patient) {
  await openBed(device, bedId)
  await device.id('action-admit').click()
  await choose(device, 'patientId', patient)
  await submit(device, 'admit-form')
  await closeSheet(device, 'bed-sheet')
}

export async function treat(device, bedId, { type, name, dosage, doctor }) {
  await openBed(device, bedId)
  await device.id('action-treat').click()
  await device.id('field-treatmentType').selectOption(type)
  await device.id('field-treatmentName').fill(name)
  await device.id('field-dosage').fill(dosage)
  await choose(device, 'doctorId', doctor)
  await submit(device, 'treat-form')
  await closeSheet(device, 'bed-sheet')
}

export async function discharge(device, bedId, condition) {
  await openBed(device, bedId)
  await device.id('action-discharge').click()
  await device.id('field-dischargeCondition').selectOption(condition)
  await submit(device, 'discharge-form')
  await closeSheet(device, 'bed-sheet')
}

export async function take(device, itemCode, quantity) {
  await go(device, 'stock')
  await device.id('search').fill(itemCode)
  await device.id(`supply-${itemCode}`).click()
  await device.id('action-take').click()
  await device.id('field-quantity').fill(String(quantity))
  await submit(device, 'take-form')
  await closeSheet(device, 'supply-sheet')
}

/** Changes columns of a patient in the chart. */
export async function editPatient(device, id, values) {
  await go(device, `patients/${id}`)
  await device.id('chart-edit').click()
  for (const [name, value] of Object.entries(values)) await device.id(`field-${name}`).fill(value)
  await submit(device, 'row-form')
}

// Whom to do it to: rows of the demo hospital.

export const freeBeds = (device) =>
  device.query(`SELECT id FROM beds WHERE status = 'available' AND patient_id IS NULL ORDER BY id`)

export const patientsInBeds = (device) =>
  device.query(`SELECT b.id AS bed, p.id, p.patient_number AS number FROM beds AS b
    JOIN patients AS p ON p.id = b.patient_id WHERE b.status = 'occupied' ORDER BY b.id`)

/** Patients who lie in no bed and wait for none. */
export const patientsAtHome = (device) =>
  device.query(`SELECT id, patient_number AS number FROM patients
    WHERE id NOT IN (SELECT patient_id FROM beds WHERE patient_id IS NOT NULL)
      AND id NOT IN (SELECT patient_id FROM patient_queue) ORDER BY id`)

export const supplies = (device) =>
  device.query(`SELECT id, item_code AS code, current_stock AS stock FROM supplies
    WHERE current_stock > 20 ORDER BY id`)

export const doctor = (device) =>
  device.one(`SELECT id, last_name AS name FROM users WHERE role = 'doctor' AND username = 'doctor'`)
