/** Two devices work apart: nothing that somebody did is lost, and what cannot both be true is shown to both. */
import assert from 'node:assert/strict'
import { eventually } from './support/patience.mjs'
import { journey } from './support/journey.mjs'
import { sameEverywhere } from './support/tables.mjs'
import {
  admit,
  bed,
  editPatient,
  freeBeds,
  go,
  patientsAtHome,
  seeBed,
  supplies,
  take,
} from './support/ward.mjs'

/** Two phones in step; what they do in `apart` they do without a network, then `one` syncs first. */
async function pair(device) {
  const [one, other] = [await device('one'), await device('other', { username: 'doctor' })]
  return { one, other, both: [one, other] }
}

/** Ends with the same on both, `one` being first in stream order. */
async function meet({ one, other }) {
  await one.goOnline()
  await one.inStep()
  await other.goOnline()
  await other.inStep()
}

async function openConflicts(device, kind, number) {
  await device.count('conflicts', number)
  await go(device, 'conflicts')
  const cards = device.page.locator(`[data-testid=conflict-card][data-kind=${kind}]`)
  await eventually(`${device.name} shows ${number} conflicts`, async () => (await cards.count()) === number)
  return cards
}

journey(
  'different columns of one patient, changed on two devices apart, both survive',
  async ({ hospital, device }) => {
    const { one, other, both } = await pair(device)
    const [patient] = await patientsAtHome(one)
    for (const phone of both) await phone.goOffline()
    await editPatient(one, patient.id, { phone: '030 111' })
    await editPatient(other, patient.id, { email: 'both@hospital.example' })
    await meet({ one, other })
    const read = `SELECT phone, email FROM patients WHERE id = '${patient.id}'`
    const both_survived = [{ phone: '030 111', email: 'both@hospital.example' }]
    for (const phone of both) {
      await go(phone, `patients/${patient.id}`)
      await phone.id('value-phone').getByText('030 111').waitFor()
      await phone.id('value-email').getByText('both@hospital.example').waitFor()
      await phone.count('conflicts', 0)
    }
    assert.deepEqual(await hospital.sql(read), both_survived)
    await sameEverywhere(both, hospital)
  },
)

journey(
  'one column changed on two devices apart: one wins, both see both, and one settles it',
  async ({ hospital, device }) => {
    const { one, other, both } = await pair(device)
    const [patient] = await patientsAtHome(one)
    for (const phone of both) await phone.goOffline()
    await editPatient(one, patient.id, { date_of_birth: '1950-01-01' })
    await editPatient(other, patient.id, { date_of_birth: '1960-02-02' })
    await meet({ one, other })

    const seen = []
    for (const phone of both) {
      const cards = await openConflicts(phone, 'concurrent', 1)
      const sides = cards.first().getByTestId('conflict-side')
      assert.equal(await sides.count(), 2)
      const texts = (await sides.allTextContents()).join(' ')
      assert.ok(texts.includes('1950') && texts.includes('1960'), texts)
      assert.equal(await cards.locator('[data-testid=conflict-side][data-shown=true]').count(), 1)
      seen.push(await cards.locator('[data-testid=conflict-side][data-shown=true]').textContent())
    }
    assert.equal(seen[0].includes('1950'), seen[1].includes('1950'))
    const birthday = async () =>
      (await hospital.sql(`SELECT date_of_birth FROM patients WHERE id = '${patient.id}'`))[0].date_of_birth
    assert.equal(await birthday(), seen[0].includes('1950') ? '1950-01-01' : '1960-02-02')

    // The side that lost is the one that is right.
    const right = seen[0].includes('1950') ? '1960-02-02' : '1950-01-01'
    await one.page.locator('[data-testid=conflict-side][data-shown=false]').click()
    await one.id('settle').click()
    for (const phone of both) {
      await phone.notSee('conflict-card')
      await phone.count('conflicts', 0)
    }
    await one.inStep()
    assert.equal(await birthday(), right)
    assert.deepEqual(await hospital.sql('SELECT id FROM sync.conflicts WHERE settled_at IS NULL'), [])
    await sameEverywhere(both, hospital)
  },
)

journey(
  'a bed given to two patients stays with the first in stream order, and the other is a conflict',
  async ({ hospital, device }) => {
    const { one, other, both } = await pair(device)
    const [free] = await freeBeds(one)
    const [first, second] = await patientsAtHome(one)
    for (const phone of both) await phone.goOffline()
    // Who admits later by the clock is first in the stream: the stream decides.
    await admit(other, free.id, second.number)
    await admit(one, free.id, first.number)
    for (const phone of both) await seeBed(phone, free.id, 'occupied')
    await meet({ one, other })

    const lying = await hospital.sql(`SELECT patient_id, status FROM beds WHERE id = '${free.id}'`)
    assert.deepEqual(lying, [{ patient_id: first.id, status: 'occupied' }])
    const { name } = await one.one(`SELECT last_name AS name FROM patients WHERE id = ?1`, [first.id])
    const { name: loser } = await one.one(`SELECT last_name AS name FROM patients WHERE id = ?1`, [second.id])
    for (const phone of both) {
      await go(phone, 'board?department=all')
      await bed(phone, free.id).filter({ hasText: name }).waitFor()
      const cards = await openConflicts(phone, 'claim', 1)
      const texts = (await cards.getByTestId('conflict-side').allTextContents()).join(' ')
      assert.ok(texts.includes(name) && texts.includes(loser), texts)
      assert.match(
        await cards.locator('[data-testid=conflict-side][data-shown=true]').textContent(),
        new RegExp(name),
      )
      assert.notEqual((await cards.getByTestId('conflict-task').textContent()).trim(), '')
    }
    const [raised] = await hospital.sql('SELECT kind, task FROM sync.conflicts WHERE settled_at IS NULL')
    assert.equal(raised.kind, 'claim')
    assert.notEqual(raised.task, '')
    await sameEverywhere(both, hospital)
  },
)

journey('stock taken on two devices apart: the counter is the sum', async ({ hospital, device }) => {
  const { one, other, both } = await pair(device)
  const [supply] = await supplies(one)
  for (const phone of both) await phone.goOffline()
  await take(one, supply.code, 3)
  await take(other, supply.code, 4)
  await take(one, supply.code, 1)
  await meet({ one, other })
  for (const phone of both) {
    await go(phone, `stock?find=${supply.code}`)
    await phone
      .id(`stock-${supply.code}`)
      .getByText(String(supply.stock - 8), { exact: true })
      .waitFor()
    await phone.count('conflicts', 0)
  }
  const counter = await hospital.sql(`SELECT current_stock FROM supplies WHERE id = '${supply.id}'`)
  assert.deepEqual(counter, [{ current_stock: supply.stock - 8 }])
  const moved = await hospital.sql(
    `SELECT quantity FROM inventory_transactions WHERE supply_id = '${supply.id}' AND transaction_type = 'out'
      ORDER BY transaction_date DESC LIMIT 3`,
  )
  assert.deepEqual(moved.map((row) => row.quantity).sort(), [1, 3, 4])
  await sameEverywhere(both, hospital)
})
