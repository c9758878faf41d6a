/** Several people use one device: each has what is theirs, and nothing can be read of who is signed out. */
import assert from 'node:assert/strict'
import { journey } from './support/journey.mjs'
import { eventually } from './support/patience.mjs'
import { go, register, signIn, signInOffline, signOut } from './support/ward.mjs'

const SECRET_NAME = 'Xylophonia-Quetzalcoatl'
const CONTROL = 'as plain as can be'
const SECRET = {
  first_name: 'Zenobia',
  last_name: SECRET_NAME,
  date_of_birth: '1966-06-06',
  patient_number: 'P-SECRET',
}

/** What the browser keeps for this site in its private file system, read by a page on which no engine runs. */
async function opfsContains(device, text) {
  await device.page.goto(`${device.url}icon.svg`)
  return device.page.evaluate(async (wanted) => {
    const files = []
    const walk = async (folder) => {
      for await (const entry of folder.values()) {
        if (entry.kind === 'directory') await walk(entry)
        else files.push(await entry.getFile())
      }
    }
    await walk(await navigator.storage.getDirectory())
    const found = []
    let bytes = 0
    for (const file of files) {
      const content = new Uint8Array(await file.arrayBuffer())
      bytes += content.length
      const latin = new TextDecoder('latin1').decode(content)
      for (const one of wanted) if (latin.includes(one)) found.push(`${file.name}: ${one}`)
    }
    return { found, bytes }
  }, text)
}

/** True if the bytes contain the text as UTF-8 or as UTF-16. */
const contains = (bytes, text) =>
  bytes.includes(Buffer.from(text, 'utf8')) || bytes.includes(Buffer.from(text, 'utf16le'))

journey(
  'who signs out leaves nothing readable, the next one sees nothing, and the work is sent when its person is back',
  async ({ hospital, device }) => {
    const phone = await device('phone')
    await phone.goOffline()
    await register(phone, SECRET)
    await phone.count('waiting', 1)
    await signOut(phone)
    await phone.id('user-nurse').getByText('1 entry waiting to be sent').waitFor()

    const plain = ['SQLite format 3', SECRET_NAME, 'P-SECRET', 'sync_outbox', 'patient_number']
    const { found, bytes } = await opfsContains(phone, plain)
    assert.deepEqual(found, [])
    // Plain text there would be found.
    await phone.page.evaluate(async (text) => {
      const root = await navigator.storage.getDirectory()
      const file = await (await root.getFileHandle('control', { create: true })).createWritable()
      await file.write(text)
      await file.close()
    }, CONTROL)
    assert.deepEqual((await opfsContains(phone, [CONTROL])).found, [`control: ${CONTROL}`])
    assert.ok(bytes > 100_000, `${bytes} bytes are too few for a store`)

    // Neither the engine's files nor any other of the browser's has it.
    await phone.close()
    const disk = [...phone.onDisk()]
    const naming = (text) => disk.filter(({ bytes }) => contains(bytes, text)).map(({ file }) => file)
    assert.deepEqual(naming(SECRET_NAME), [])
    assert.equal(naming(CONTROL).length, 1)

    // A colleague comes, online.
    await phone.start({ offline: false })
    await phone.open()
    await signIn(phone, 'doctor')
    await phone.inStep()
    await go(phone, 'sync')
    await phone.page.getByText('Everything you did has reached the server.').waitFor()
    assert.deepEqual(await phone.query(`SELECT id FROM patients WHERE patient_number = 'P-SECRET'`), [])
    const stored = () => hospital.sql(`SELECT last_name FROM patients WHERE patient_number = 'P-SECRET'`)
    assert.deepEqual(await stored(), [])
    await signOut(phone)

    // The first one again, without a network: once with a slip, then right.
    await phone.page.context().setOffline(true)
    await phone.id('user-nurse').click()
    await phone.page.locator('[name=password]').fill('dmeo')
    await phone.id('sign-in-submit').click()
    await phone.id('problem').getByText('This password is not right.').waitFor()
    await phone.page.locator('[name=password]').fill('demo')
    await phone.id('sign-in-submit').click()
    await phone.connection('offline')
    await phone.count('waiting', 1)
    await go(phone, 'patients?find=P-SECRET')
    await phone.id('patient-P-SECRET').waitFor()

    await phone.goOnline()
    await phone.inStep()
    assert.deepEqual(await stored(), [{ last_name: SECRET_NAME }])
    const who = await hospital.sql(
      `SELECT u.username FROM sync.log AS l JOIN users AS u ON u.id = l.user_id ORDER BY l.seq DESC LIMIT 1`,
    )
    assert.equal(who[0].username, 'nurse')
  },
)

journey(
  'a password that was changed elsewhere asks for the old one once, and loses nothing',
  async ({ hospital, device }) => {
    const phone = await device('phone')
    await phone.goOffline()
    await register(phone, SECRET)
    await signOut(phone)
    await hospital.setPassword('nurse', 'another-password')
    await phone.page.context().setOffline(false)

    // The old one opens nothing while the server can be asked.
    await phone.id('user-nurse').click()
    await phone.page.locator('[name=password]').fill('demo')
    await phone.id('sign-in-submit').click()
    await phone.id('problem').getByText('changed on another device').waitFor()

    await phone.page.locator('[name=password]').fill('another-password')
    await phone.id('sign-in-submit').click()
    await phone.page.locator('[name=old-password]').waitFor()
    // Starting anew says what is at stake.
    await phone.id('start-anew').click()
    await phone.id('confirm').getByText('1 entry of yours on this device').waitFor()
    await phone.id('confirm').getByRole('button', { name: 'Go back' }).click()
    await phone.page.locator('[name=old-password]').fill('demo')
    await phone.id('sign-in-submit').click()
    await phone.inStep()
    const stored = await hospital.sql(`SELECT last_name FROM patients WHERE patient_number = 'P-SECRET'`)
    assert.deepEqual(stored, [{ last_name: SECRET_NAME }])

    // From now on the new one works without a network.
    await signOut(phone)
    await phone.page.context().setOffline(true)
    await signInOffline(phone, 'nurse', 'another-password')
  },
)

journey(
  'a device that nobody touches locks itself in every tab, and names its person',
  async ({ device }) => {
    const desk = await device('desk')
    const second = await desk.tab('second')
    await second.connection('online')
    await desk.page.evaluate(() => {
      localStorage.setItem('holdfast.touched', String(Date.now() - 16 * 60_000))
      document.dispatchEvent(new Event('visibilitychange'))
    })
    for (const tab of [desk, second]) {
      await tab.page.getByRole('heading', { name: 'Locked' }).waitFor()
      assert.equal(await tab.page.locator('[name=password]').inputValue(), '')
    }
    await second.page.locator('[name=password]').fill('demo')
    await second.id('sign-in-submit').click()
    for (const tab of [desk, second]) await tab.connection('online')

    // A reload is no reason to ask; a browser that was closed is.
    await second.page.close()
    await desk.page.reload()
    await desk.connection('online')
    await desk.close()
    await desk.start()
    await desk.open()
    await desk.see('user-nurse')
    await eventually('no engine has opened a store', async () => {
      const answer = await desk.ask('query', { sql: 'SELECT 1', parameters: [] }).catch(String)
      return answer.includes('signed_out')
    })
  },
)
