/**
 * A ward with a hub of its own: it goes on while the link to the hospital is down, everybody sees how far the work has
 * come, and a phone goes from the ward to the rest of the hospital and back.
 */
import assert from 'node:assert/strict'
import { onHubOfPostgres } from './support/hub.mjs'
import { journey } from './support/journey.mjs'
import { Line } from './support/line.mjs'
import { eventually } from './support/patience.mjs'
import { sameEverywhere } from './support/tables.mjs'
import { waitFor } from './support/wait_for.mjs'
import {
  admit,
  bed,
  enter,
  freeBeds,
  go,
  patientsAtHome,
  register,
  seeBed,
  signIn,
  signOut,
  supplies,
  take,
} from './support/ward.mjs'

const PHONE = { width: 390, height: 844 }

const person = (number) => ({
  first_name: 'Mother',
  last_name: 'Hubbard',
  date_of_birth: '1970-07-07',
  patient_number: number,
})

/** As the ward's clock shows it. */
const clock = (time) =>
  new Date(time).toLocaleTimeString('en-GB', { timeStyle: 'short', timeZone: 'Europe/Berlin' })

/** What a device has in its outbox of which the summary says this. */
async function entry(device, about) {
  const outbox = await device.ask('outbox', null)
  return outbox.find(({ summary }) => summary.includes(about))
}

/** So many entries of the device are at the hub, of so many that have not reached the hospital. */
async function atHub(device, number, { of = number } = {}) {
  const chip = device.page.locator(`[data-testid=status-waiting][data-at-hub="${number}"]`)
  await chip.and(device.page.locator(`[data-count="${of}"]`)).waitFor()
}

/** Everything has reached the hospital and come back to the devices, to the hub and to every table. */
async function settled(hospital, devices) {
  await hospital.hub.passedOn()
  for (const device of devices) await device.inStep()
  await sameEverywhere(devices, hospital)
  await sameEverywhere(devices, hospital.hub)
}

journey(
  'a ward goes on through an outage, sees how far its work has come, and hears of the conflict that the hospital settled',
  async ({ hospital, device }) => {
    const { hub } = hospital
    const [one, other, desk] = await Promise.all([
      device('one', { url: hub.url, viewport: PHONE }),
      device('other', { url: hub.url, viewport: PHONE, username: 'doctor' }),
      device('desk', { username: 'doctor' }),
    ])
    const [free] = await freeBeds(desk)
    const [taken] = await patientsAtHome(desk)
    await hub.cutOff()

    // The ward goes on: what one does the other sees, and both see where it is.
    const id = await register(one, person('P-HUB'))
    await atHub(one, 1)
    const registered = await entry(one, 'P-HUB')
    assert.equal(registered.durability, 'hub')
    const [toHub, toHospital] = await Promise.all([
      waitFor(one, registered.transactionId, 'hub'),
      waitFor(one, registered.transactionId, 'hospital'),
    ])
    await eventually('the app hears of the hub', async () => (await toHub.outcome()) === 'reached')
    await go(other, 'patients?find=P-HUB')
    await other.see('patient-P-HUB')
    await go(one, 'sync')
    const shown = one.page.locator(`[data-transaction-id="${registered.transactionId}"]`)
    await shown.locator('[data-testid=way][data-at=hub]').getByText('At the hub').waitFor()
    const { lastContact } = await hub.state()
    for (const phone of [one, other]) {
      const notice = await phone.id('hub-unlinked').innerText()
      assert.match(notice, new RegExp(`no link to the hospital since (.*, )?${clock(lastContact)}`))
    }
    assert.match(await one.id('hub-unlinked').innerText(), /your entries are safe at the hub/)
    assert.equal(await desk.id('hub-unlinked').count(), 0)

    // A bed is given away on both sides, at the hospital first.
    await admit(desk, free.id, taken.number)
    await desk.inStep()
    await admit(one, free.id, 'P-HUB')
    await seeBed(other, free.id, 'occupied')
    await bed(other, free.id).getByText('Hubbard').waitFor()
    await atHub(one, 2)
    assert.equal(await toHospital.outcome(), 'waits')
    assert.deepEqual(await hospital.sql(`SELECT id FROM patients WHERE id = '${id}'`), [])

    hub.mend()
    await eventually(
      'the app hears of the hospital',
      async () => (await toHospital.outcome()) === 'reached',
      40_000,
    )
    const devices = [one, other, desk]
    await settled(hospital, devices)
    const lying = await hospital.sql(`SELECT patient_id FROM beds WHERE id = '${free.id}'`)
    assert.deepEqual(lying, [{ patient_id: taken.id }])
    for (const each of devices) {
      await each.notSee('hub-unlinked')
      await each.count('conflicts', 1)
      await go(each, 'conflicts')
      const card = each.page.locator('[data-testid=conflict-card][data-kind=claim]')
      await card.getByTestId('conflict-side').filter({ hasText: 'Hubbard' }).waitFor()
      assert.equal(await card.getByTestId('conflict-side').count(), 2)
    }
    await go(one, 'sync')
    await one.page.getByText('Everything you did has reached the hospital.').waitFor()
  },
  { on: onHubOfPostgres },
)

journey(
  'while the link is down who is known signs in again on a phone that knows them, and a new phone is told why it cannot',
  async ({ hospital, device, visitor }) => {
    const { hub } = hospital
    const [phone, stranger] = await Promise.all([
      device('phone', { url: hub.url, viewport: PHONE }),
      visitor('stranger', { url: hub.url, viewport: PHONE }),
    ])
    await hub.cutOff()
    await signOut(phone)
    await signIn(phone, 'nurse')
    await register(phone, person('P-AGAIN'))
    await atHub(phone, 1)

    await enter(stranger, 'nurse', 'demo')
    const refusal = await stranger.id('problem').innerText()
    assert.match(refusal, /no link to the hospital/)
    assert.match(refusal, /sign in on a device/i)

    hub.mend()
    await hub.passedOn()
    await signIn(stranger, 'nurse')
    await go(stranger, 'patients?find=P-AGAIN')
    await stranger.see('patient-P-AGAIN')
    await settled(hospital, [phone, stranger])
  },
  { on: onHubOfPostgres },
)

journey(
  'a phone leaves the ward before its hub has passed its work on, works on outside and comes back: nothing is doubled',
  async ({ hospital, device }) => {
    const { hub } = hospital
    const line = await Line.to(hub.server)
    try {
      const [roaming, staying, desk] = await Promise.all([
        device('roaming', { url: line.url, viewport: PHONE }),
        device('staying', { url: hub.url, viewport: PHONE, username: 'doctor' }),
        device('desk', { username: 'doctor' }),
      ])
      const [supply] = await supplies(desk)
      await hub.cutOff()
      await take(roaming, supply.code, 1)
      await register(roaming, person('P-WARD'))
      await atHub(roaming, 2)
      await take(staying, supply.code, 2)
      await atHub(staying, 1)
      /** The phone shows that so many were taken. */
      const sees = (taken) =>
        eventually(`the phone sees ${taken} taken`, async () => {
          const row = await roaming.one('SELECT current_stock AS n FROM supplies WHERE id = ?1', [supply.id])
          return row.n === supply.stock - taken
        })
      await sees(1 + 2)

      // Outside of the ward the hospital itself answers, to which the hub has passed on nothing.
      line.leadTo(hospital.server)
      await register(roaming, person('P-OUTSIDE'))
      await roaming.inStep()
      await roaming.notSee('hub-unlinked')
      // What builds on another's work that only the hub has: the hospital keeps it until that comes.
      await take(roaming, supply.code, 3)
      await go(roaming, 'sync')
      await roaming.id('held').getByText('Waiting at the hospital for an earlier entry').waitFor()
      await take(desk, supply.code, 4)
      await desk.inStep()
      const stock = async () =>
        (await hospital.sql(`SELECT current_stock AS n FROM supplies WHERE id = '${supply.id}'`))[0].n
      assert.equal(await stock(), supply.stock - 1 - 4)
      await sees(1 + 2 + 3 + 4)

      // In the ward again, whose hub does not know what the desk did.
      line.leadTo(hub.server)
      await take(roaming, supply.code, 5)
      await atHub(roaming, 1, { of: 2 })
      await go(roaming, 'sync')
      await roaming.id('held').getByText('Waiting at the hub for an earlier entry').waitFor()
      await roaming.see('hub-unlinked')

      hub.mend()
      const devices = [roaming, staying, desk]
      await settled(hospital, devices)
      assert.equal(await stock(), supply.stock - 1 - 2 - 3 - 4 - 5)
      const moved = await hospital.sql(
        `SELECT quantity FROM inventory_transactions WHERE supply_id = '${supply.id}' AND transaction_type = 'out'
          ORDER BY transaction_date DESC LIMIT 5`,
      )
      assert.deepEqual(moved.map((row) => row.quantity).sort(), [1, 2, 3, 4, 5])
      const registered = `SELECT patient_number AS number FROM patients WHERE last_name = 'Hubbard' ORDER BY 1`
      assert.deepEqual(await hospital.sql(registered), [{ number: 'P-OUTSIDE' }, { number: 'P-WARD' }])
      for (const each of devices) {
        await each.notSee('status-rejected')
        await each.count('conflicts', 0)
      }
    } finally {
      line.close()
    }
  },
  { on: onHubOfPostgres },
)
