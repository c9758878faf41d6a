/** The address leads to another hospital's server, and home again. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { onSqlite } from './support/hospital.mjs'
import { journey } from './support/journey.mjs'
import { Server } from './support/server.mjs'
import { newFolder, SERVER } from './support/surroundings.mjs'
import { register } from './support/ward.mjs'

journey(
  'work is kept from another hospital, over a reload too, and sent when the own one is back',
  async ({ hospital, device }) => {
    const phone = await device('phone')
    await hospital.server.stop()
    const folder = newFolder('elsewhere')
    await promisify(execFile)(SERVER, ['demo', '--beds', '20', '--patients', '60', '--data', folder])
    const elsewhere = new Server(['--data', folder], hospital.server.port)
    await elsewhere.start()
    const number = 'P-HOME'
    try {
      await register(phone, {
        first_name: 'Home',
        last_name: 'Sick',
        date_of_birth: '1980-01-01',
        patient_number: number,
      })
      await phone.connection('otherHospital')
      await phone.see('other-hospital')
      assert.match(await phone.id('other-hospital').innerText(), /another hospital.*Tell your administrator/s)
      await phone.page.reload()
      await phone.connection('otherHospital')
      await phone.count('waiting', 1)
      const patients = await phone.one('SELECT count(*) AS n FROM patients')
      assert.equal(patients.n, 201)
    } finally {
      await elsewhere.kill()
    }
    await hospital.server.start()
    await phone.inStep()
    await phone.notSee('other-hospital')
    assert.deepEqual(
      await hospital.sql(`SELECT last_name FROM patients WHERE patient_number = '${number}'`),
      [{ last_name: 'Sick' }],
    )
  },
  { on: onSqlite },
)
