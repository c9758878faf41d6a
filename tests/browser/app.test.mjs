/** The app around the work: phone, keyboard, sign-in that ran out, installing, the first visit. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { journey } from './support/journey.mjs'
import { eventually } from './support/patience.mjs'
import { ROOT } from './support/surroundings.mjs'
import { freeBeds, go, patientsAtHome, register, signIn } from './support/ward.mjs'

const SCREENS = [
  'board?department=all',
  'queue',
  'patients',
  'cleaning',
  'stock',
  'equipment',
  'appointments',
  'meetings',
  'conflicts',
  'sync',
  'tables',
  'tables/patients',
]
const PHONE = { width: 360, height: 740 }

journey(
  'on a phone 360 px wide no screen is wider, and the bottom bar leads to all of them',
  async ({ device }) => {
    const phone = await device('phone', { viewport: PHONE })
    const [patient] = await patientsAtHome(phone)
    const [free] = await freeBeds(phone)
    const fits = async (where) => {
      const [wide, seen] = await phone.page.evaluate(() => [
        Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
        document.documentElement.clientWidth,
      ])
      assert.ok(wide <= seen, `${where} is ${wide} px wide, the phone shows ${seen}`)
    }
    for (const place of [...SCREENS, `patients/${patient.id}`, `tables/patients/${patient.id}`]) {
      await go(phone, place)
      await phone.page.waitForFunction(() => !document.querySelector('main [role=status]'))
      await fits(place)
    }
    await go(phone, `board?department=all&bed=${free.id}`)
    await phone.see('bed-sheet')
    await fits('a sheet')
    await phone.page.keyboard.press('Escape')
    await phone.notSee('bed-sheet')

    const bar = phone.page.getByRole('navigation', { name: 'Main screens' })
    for (const [name, screen] of [
      ['Queue', 'queue'],
      ['Patients', 'patients'],
      ['Stock', 'stock'],
      ['Ward', 'board'],
    ]) {
      await bar.getByRole('link', { name }).click()
      await phone.see(`screen-${screen}`)
    }
    await phone.id('more').click()
    await phone.id('more-sheet').getByRole('link', { name: 'Cleaning' }).click()
    await phone.see('screen-cleaning')
    await phone.notSee('more-sheet')
  },
)

journey(
  'all can be done by keyboard: signing in, going, searching, opening a chart, closing a sheet',
  async ({ visitor }) => {
    const desk = await visitor('desk')
    const keys = desk.page.keyboard
    const focused = (test, argument) => desk.page.waitForFunction(test, argument)
    await desk.see('sign-in-form')
    for (let tabs = 0; tabs < 5; tabs += 1) {
      if (await desk.page.evaluate(() => document.activeElement?.getAttribute('name') === 'username')) break
      await keys.press('Tab')
    }
    await keys.type('nurse')
    await keys.press('Tab')
    await keys.type('demo')
    await keys.press('Enter')
    await desk.connection('online')
    await desk.notSee('first-sync')
    await desk.see('screen-board')

    await keys.press('g')
    await keys.press('p')
    await desk.see('screen-patients')
    const [patient] = await patientsAtHome(desk)
    await keys.press('/')
    await focused(() => document.activeElement?.matches('[data-search]'))
    await keys.type(patient.number)
    const item = desk.id(`patient-${patient.number}`)
    await item.waitFor()
    await eventually(
      'one patient is left',
      async () => (await desk.page.locator('[data-testid=patient-list] a').count()) === 1,
    )
    for (let tabs = 0; tabs < 6; tabs += 1) {
      await keys.press('Tab')
      if (await item.evaluate((element) => element === document.activeElement)) break
    }
    await keys.press('Enter')
    await desk.see('chart-name')

    await desk.id('chart-treat').focus()
    await keys.press('Enter')
    await desk.see('treat-form')
    await keys.press('Escape')
    await desk.notSee('treat-form')
    await focused(() => document.activeElement?.getAttribute('data-testid') === 'chart-treat')
    await keys.press('?')
    await desk.see('shortcut-help')
    await keys.press('Escape')
    await desk.notSee('shortcut-help')
  },
)

journey('a sign-in that ran out keeps the work and asks to sign in again', async ({ hospital, device }) => {
  const phone = await device('phone')
  await hospital.change('DELETE FROM sync.sessions')
  const number = 'P-EXPIRED'
  await register(phone, {
    first_name: 'Ex',
    last_name: 'Pired',
    date_of_birth: '1980-01-01',
    patient_number: number,
  })
  await phone.connection('signedOut')
  await phone.count('waiting', 1)
  const stored = () => hospital.sql(`SELECT last_name FROM patients WHERE patient_number = '${number}'`)
  assert.deepEqual(await stored(), [])
  await phone.page.reload()
  await phone.count('waiting', 1)
  await phone.id('sign-in-again').getByRole('button').click()
  await phone.page.locator('dialog input[type=password]').fill('demo')
  await phone.page.locator('dialog').getByRole('button', { name: 'Sign in', exact: true }).click()
  await phone.inStep()
  await phone.notSee('sign-in-again')
  assert.deepEqual(await stored(), [{ last_name: 'Pired' }])
})

journey('after one visit the app can be installed and opens without a network', async ({ visitor }) => {
  const phone = await visitor('phone', { viewport: PHONE })
  await phone.see('sign-in-form')
  const found = await phone.page.evaluate(async () => {
    const { scope } = await navigator.serviceWorker.ready
    const address = document.querySelector('link[rel=manifest]').href
    const manifest = await (await fetch(address)).json()
    const icons = await Promise.all(
      manifest.icons.map(async (icon) =>
        (await fetch(new URL(icon.src, address))).headers.get('content-type'),
      ),
    )
    return { scope, manifest, icons }
  })
  assert.equal(found.scope, phone.url)
  assert.equal(found.manifest.display, 'standalone')
  assert.ok(found.manifest.name && found.manifest.start_url)
  assert.ok(found.manifest.icons.some((icon) => icon.sizes === '512x512'))
  assert.ok(found.icons.every((type) => type === 'image/png'))
  const devtools = await phone.context.newCDPSession(phone.page)
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors')
  assert.deepEqual(installabilityErrors, [])

  await signIn(phone, 'nurse')
  await phone.goOffline()
  await phone.page.reload()
  await phone.connection('offline')
  await go(phone, 'patients')
  await phone.page.locator('[data-testid=patient-list] a').first().waitFor()
})

// The picture of the README: made anew only when somebody asks, so that a test run leaves the checkout as it was.
const PICTURE = path.join(ROOT, 'docs/screenshot.png')
if (process.env.HOLDFAST_SCREENSHOT === '1' || !existsSync(PICTURE)) {
  journey('the ward board is pictured for the README', async ({ device }) => {
    const desk = await device('desk')
    await go(desk, 'board?department=all')
    await desk.page.locator('[data-bed-id]').first().waitFor()
    await desk.page.evaluate(() => document.fonts.ready)
    await desk.page.screenshot({ path: PICTURE })
    assert.ok(existsSync(PICTURE))
  })
}
