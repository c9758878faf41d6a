/** Several tabs of one device: all work, and what one of them had open goes on in another when it ends. */
import assert from 'node:assert/strict'
import { onSqlite } from './support/hospital.mjs'
import { journey } from './support/journey.mjs'
import { crowding, eventually } from './support/patience.mjs'
import { go, register } from './support/ward.mjs'

/** Milliseconds in which another tab must go on, on a machine that does nothing else. */
const SOON = 1_000

/** A patient's values; the number tells by whom and as which. */
const person = (number) => ({
  first_name: 'Tab',
  last_name: 'Worker',
  date_of_birth: '1990-01-01',
  patient_number: number,
})

const registration = (number) => ({ type: 'registerPatient', values: person(number) })

/**
 * Commands one after the other, as fast as they are answered, until `stop` or the tab's end. Keeps the numbers that were
 * answered, and how many milliseconds each took.
 */
function keepRegistering(device, prefix) {
  const working = { done: [], times: [], reaches, stop }
  let going = true
  const work = (async () => {
    for (let at = 1; going; at += 1) {
      const asked = performance.now()
      await device.run(registration(`${prefix}-${at}`))
      working.done.push(`${prefix}-${at}`)
      working.times.push(performance.now() - asked)
    }
  })()
  // The end of a tab ends its work; `reaches` and `stop` tell of every other failure.
  work.catch(() => undefined)
  /** Waits until so many were answered, and fails with what ended the work before that. */
  function reaches(what, number, patience) {
    return Promise.race([work, eventually(what, () => working.done.length >= number, patience)])
  }
  async function stop() {
    going = false
    await work
    return working.done
  }
  return working
}

async function storedNumbers(hospital) {
  const rows = await hospital.sql(`SELECT patient_number FROM patients WHERE last_name = 'Worker'`)
  return rows.map((row) => row.patient_number).sort()
}

const ENDS = {
  'is closed': (tab) => tab.page.close(),
  'is killed': (tab) => tab.crash(),
  'is reloaded': (tab) => tab.page.reload(),
  'goes to the back': (tab) => tab.hide(),
  'is frozen': (tab) => tab.freeze(),
}

for (const [what, end] of Object.entries(ENDS)) {
  journey(
    `two tabs work, the first ${what}, and the second goes on within a second without losing or doubling anything`,
    async ({ hospital, device }) => {
      const first = await device('first')
      const second = await first.tab('second')
      await second.connection('online')
      await go(second, 'patients')
      await second.page.bringToFront()

      // What one tab does the other one sees.
      await register(first, person('BY-FIRST'))
      await go(second, 'patients?find=BY-FIRST')
      await second.id('patient-BY-FIRST').waitFor()

      const crowded = crowding()
      const [one, two] = [keepRegistering(first, 'ONE'), keepRegistering(second, 'TWO')]
      await Promise.all([one.reaches('the first tab works', 4), two.reaches('the second tab works', 4)])
      // A frozen tab would answer only when it wakes.
      if (what === 'is frozen') await one.stop()
      const owner = await second.owner()
      const before = two.done.length
      const ended = end(first)
      // The one that works notices nothing but a pause.
      await two.reaches('the second tab goes on', before + 6, 10_000)
      await ended
      await two.reaches('it goes on after that too', before + 11, 10_000)
      const longest = Math.round(Math.max(...two.times.slice(before)))
      const allowed = Math.round(SOON * crowded)
      console.log(`      the first tab ${what}: the second waited ${longest} ms at most, of ${allowed} ms`)
      assert.ok(longest < allowed, `it waited ${longest} ms, and ${allowed} ms are allowed`)
      assert.notEqual(await second.owner(), owner, 'the first tab still has the data')
      // A tab that ended took its work with it; one that was reloaded may have gone on with it.
      const stopped = one.stop()
      await (what === 'goes to the back' ? stopped : stopped.catch(() => undefined))
      const answered = [...one.done, ...(await two.stop())]

      // What is seen without asking goes on too.
      await go(second, `patients?find=${answered.at(-1)}`)
      await second.id(`patient-${answered.at(-1)}`).waitFor()
      await second.inStep()
      const stored = await storedNumbers(hospital)
      assert.equal(new Set(stored).size, stored.length, 'nothing is doubled')
      for (const number of answered) assert.ok(stored.includes(number), `${number} is lost`)
      // One command of a tab that ended may have been done though nobody heard of it.
      assert.ok(stored.length <= answered.length + 2, `${stored.length} of ${answered.length}`)
      await second.notSee('status-rejected')
    },
    { on: onSqlite },
  )
}
