/** What the server refuses is shown with its reason, and mended or discarded by the person who did it. */
import assert from 'node:assert/strict'
import { journey } from './support/journey.mjs'
import { sameEverywhere } from './support/tables.mjs'
import { editPatient, go, patientsAtHome } from './support/ward.mjs'

journey(
  'what the server refused is mended in a form with its own values, or discarded',
  async ({ hospital, device }) => {
    const phone = await device('phone', { viewport: { width: 360, height: 740 } })
    const [one, other] = await patientsAtHome(phone)
    const stored = async (id) =>
      (await hospital.sql(`SELECT phone, email FROM patients WHERE id = '${id}'`))[0]
    const before = await stored(other.id)

    // Meanwhile the nurse became an auditor, and the phone does not know.
    const role = (name) => hospital.change(`UPDATE users SET role = '${name}' WHERE username = 'nurse'`)
    await phone.goOffline()
    await editPatient(phone, one.id, { phone: '030 111', email: 'refused@hospital.example' })
    await editPatient(phone, other.id, { phone: '030 999' })
    await role('auditor')
    await phone.goOnline()
    await phone.count('rejected', 2)
    await phone.count('waiting', 0)
    assert.deepEqual(await stored(other.id), before)
    await role('nurse')

    await go(phone, 'sync')
    const refused = phone.id('outbox-rejected')
    assert.match(await refused.first().getByTestId('reason').textContent(), /^Refused: \S+/)

    // Mended: the form has what was refused, and what the hospital has now beside it.
    await refused.first().getByTestId('mend').click()
    await phone.see('mend-form')
    assert.equal(await phone.id('field-phone').inputValue(), '030 111')
    assert.equal(await phone.id('field-email').inputValue(), 'refused@hospital.example')
    await phone.id('field-phone').fill('030 222')
    await phone.id('mend-form-submit').click()
    await phone.notSee('mend-form')
    await phone.count('rejected', 1)
    await phone.id('mended-list').getByText('1 refused entry mended').waitFor()
    await phone.inStep()
    assert.deepEqual(await stored(one.id), { phone: '030 222', email: 'refused@hospital.example' })

    // Discarded: asked first, and nothing of it is done.
    await refused.first().getByTestId('discard').click()
    await phone.id('confirm').getByRole('button', { name: 'Discard' }).click()
    await phone.notSee('status-rejected')
    assert.deepEqual(await stored(other.id), before)
    const [{ kept }] = await hospital.sql('SELECT count(*) AS kept FROM sync.quarantine')
    // The second one was tried anew on what the server has, and refused again.
    assert.ok(Number(kept) >= 2, 'the auditor can still see what was refused')
    await sameEverywhere([phone], hospital)
  },
)
