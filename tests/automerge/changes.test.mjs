// What Automerge's own library writes, folded and judged by Holdfast.

import * as Automerge from '@automerge/automerge'
import { Counter, Float64, ImmutableString, Int, Uint } from '@automerge/automerge'
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { same } from './support/compare.mjs'
import { start } from './support/exchange.mjs'

const ACTORS = ['01'.repeat(16), 'fe'.repeat(20)]

let holdfast
before(async () => {
  holdfast = await start()
})
after(() => holdfast?.stop())

/** An exported file of a table; each test that writes to the store takes its own. */
const taken = new Set()
function fileOf(table, holds = () => true, isTaken = true) {
  const free = (file) =>
    file.table === table && file.part === 'main' && !taken.has(file) && holds(file.state.root)
  const file = holdfast.files.find(free)
  assert.ok(file, `there is another file of ${table}`)
  taken.add(file)
  return file
}

function load(file, actor) {
  return Automerge.load(holdfast.bytes(file), { actor })
}

/** A document's changes, each after those that it builds on: `getAllChanges` may give them in another order. */
function causal(doc) {
  const left = new Map(
    Automerge.getAllChanges(doc).map((bytes) => [Automerge.decodeChange(bytes).hash, bytes]),
  )
  const ordered = []
  const add = (hash) => {
    const bytes = left.get(hash)
    if (!bytes || !left.delete(hash)) return
    Automerge.decodeChange(bytes).deps.forEach(add)
    ordered.push(bytes)
  }
  ;[...left.keys()].forEach(add)
  return ordered
}

/** Holdfast folds all changes of the document to the same. */
async function folds(table, doc) {
  const changes = causal(doc)
  const answer = await holdfast.fold(table, changes)
  assert.equal(answer.unreadable, undefined)
  return same(doc, answer.state, table)
}

/** Writes of every kind, to keys of a schema to come and to columns. */
const WRITES = {
  null: (row) => (row.x = null),
  'true and false': (row) => Object.assign(row, { x: true, y: false }),
  'an integer': (row) => Object.assign(row, { x: 7, y: new Int(-8), z: Number.MAX_SAFE_INTEGER }),
  'an unsigned integer': (row) => (row.x = new Uint(9)),
  'a float': (row) => Object.assign(row, { x: 1.5, y: new Float64(2), z: new Float64(-1e300) }),
  'a text': (row) => (row.x = 'née 👩‍⚕️'),
  'a string that is no text': (row) => (row.x = new ImmutableString('plain 🏥')),
  'an empty text': (row) => Object.assign(row, { x: '', y: new ImmutableString('') }),
  'a date': (row) => (row.x = new Date(1_769_860_800_123)),
  bytes: (row) => Object.assign(row, { x: new Uint8Array([0, 255, 7]), y: new Uint8Array() }),
  'a counter': (row) => (row.x = new Counter(40)),
  'nested maps and lists': (row) => (row.x = { a: { b: [1, [2, { c: null }], 'text'] }, d: {}, e: [] }),
  'a deleted key': (row) => delete row.created_at,
  'a long text': (row) => (row.x = '0123456789'.repeat(1000)),
  'many keys': (row) => {
    for (let i = 0; i < 2000; i++) row[`key ${i}`] = i
  },
}

for (const [name, write] of Object.entries(WRITES)) {
  test(`${name}: written by Automerge, folded by Holdfast`, async () => {
    const file = holdfast.files.find((file) => file.table === 'patients')
    const doc = Automerge.change(load(file, ACTORS[0]), write)
    await folds('patients', doc)
  })
}

test('a document that Automerge packs and saves is folded by Holdfast', async () => {
  const doc = Automerge.change(load(fileOf('patients'), ACTORS[0]), WRITES['many keys'])
  await folds('patients', Automerge.load(Automerge.save(doc)))
})

test('concurrent writes to one key are conflicts in Holdfast as in Automerge', async () => {
  const file = fileOf('patients')
  let [left, right] = ACTORS.map((actor) => load(file, actor))
  for (const write of Object.values(WRITES)) {
    left = Automerge.change(left, write)
    right = Automerge.change(right, (row) => {
      row.x = new ImmutableString('the other')
      row.y = [1]
    })
    left = Automerge.merge(left, right)
    assert.ok((await folds('patients', left)) > 0)
  }
  right = Automerge.merge(right, left)
  right = Automerge.change(right, (row) => (row.x = 'settled'))
  await folds('patients', right)
})

test('increments of concurrent counters add up', async () => {
  const file = fileOf('supplies')
  let [left, right] = ACTORS.map((actor) => load(file, actor))
  left = Automerge.change(left, (row) => row.current_stock.increment(5))
  right = Automerge.change(right, (row) => row.current_stock.decrement(2))
  right = Automerge.change(right, (row) => row.current_stock.increment(10))
  left = Automerge.merge(left, right)
  await folds('supplies', left)
  left = Automerge.change(left, (row) => (row.current_stock = new Counter(1)))
  right = Automerge.change(right, (row) => row.current_stock.increment(3))
  right = Automerge.change(right, (row) => (row.current_stock = new Counter(2)))
  left = Automerge.merge(left, right)
  left = Automerge.change(left, (row) => row.current_stock.increment(100))
  await folds('supplies', left)
})

test('texts that two splice, with emoji and marks, are the same', async () => {
  const base = Automerge.change(
    load(fileOf('patients'), ACTORS[0]),
    (row) => (row.x = 'bed rest 👩‍⚕️ and fluids'),
  )
  let [left, right] = [base, Automerge.clone(base, { actor: ACTORS[1] })]
  left = Automerge.change(left, (row) => Automerge.splice(row, ['x'], 4, 4, 'walk 🏥'))
  left = Automerge.change(left, (row) =>
    Automerge.mark(row, ['x'], { start: 0, end: 6, expand: 'both' }, 'bold', true),
  )
  right = Automerge.change(right, (row) => Automerge.splice(row, ['x'], 0, 3, 'armchair 🪑'))
  right = Automerge.change(right, (row) =>
    Automerge.mark(row, ['x'], { start: 2, end: 9, expand: 'none' }, 'comment', 'why?'),
  )
  right = Automerge.change(right, (row) => Automerge.updateText(row, ['x'], `${row.x}, fluids`))
  left = Automerge.merge(left, right)
  await folds('patients', left)
  left = Automerge.change(left, (row) =>
    Automerge.unmark(row, ['x'], { start: 0, end: 3, expand: 'both' }, 'bold'),
  )
  left = Automerge.change(left, (row) => Automerge.splice(row, ['x'], 0, 5, ''))
  await folds('patients', left)
})

test('lists that two insert into, write over and delete from are the same', async () => {
  const base = Automerge.change(load(fileOf('patients'), ACTORS[0]), (row) => (row.x = [1, 2, 3, 4, 5]))
  let [left, right] = [base, Automerge.clone(base, { actor: ACTORS[1] })]
  left = Automerge.change(left, (row) => row.x.splice(1, 2, 'a', { b: 1 }))
  right = Automerge.change(right, (row) => row.x.splice(1, 0, ['c'], null))
  left = Automerge.change(left, (row) => (row.x[3] = 'over'))
  right = Automerge.change(right, (row) => (row.x[5] = 'other'))
  right = Automerge.change(right, (row) => (row.counters = [new Counter(6)]))
  left = Automerge.merge(left, right)
  await folds('patients', left)
  left = Automerge.change(left, (row) => row.counters[0].increment(2))
  left = Automerge.change(left, (row) => Automerge.deleteAt(row.x, 0, 3))
  await folds('patients', left)
})

test('an empty change, and several in one row, leave the values alone and move the heads', async () => {
  let doc = load(fileOf('patients'), ACTORS[0])
  doc = Automerge.emptyChange(doc, { message: 'nothing', time: 5 })
  doc = Automerge.emptyChange(doc)
  doc = Automerge.change(doc, (row) => (row.x = 1))
  await folds('patients', doc)
})

/** Carries a write out on an exported row and gives it to Holdfast's store, as the device it takes changes in for. */
async function submit(file, write, actor = holdfast.actor) {
  const before = load(file, actor)
  const doc = Automerge.change(before, write)
  return { doc, answer: await holdfast.submit(file, Automerge.getChanges(before, doc)) }
}

const TAKEN = {
  'a string in a column of text': ['patients', (row) => (row.phone = new ImmutableString('555-1 ☎️'))],
  'null in a column that may be empty': ['patients', (row) => (row.phone = null)],
  'a text with emoji and a mark in a column that merges as text': [
    'patients',
    (row) => {
      row.allergies = 'latex 🧤'
      Automerge.splice(row, ['allergies'], 0, 0, 'no ')
      Automerge.mark(row, ['allergies'], { start: 0, end: 2, expand: 'both' }, 'bold', true)
    },
  ],
  'an increment of a counter': ['supplies', (row) => row.current_stock.increment(4)],
  'an integer': ['supplies', (row) => (row.minimum_stock_level = 12)],
  'a structure in a column of JSON': [
    'discharge_reports',
    (row) => (row.medications = { morning: ['a', 1, 1.5, null, true], evening: {} }),
  ],
  'a time in microseconds': ['discharge_reports', (row) => (row.discharge_date = 1_769_860_800_000_123)],
  'a row that is deleted': ['patients', (row) => (row._deleted = true)],
  'a text of 20,000 characters, packed': ['patients', (row) => (row.medical_history = 'well '.repeat(4000))],
}

for (const [name, [table, write]] of Object.entries(TAKEN)) {
  test(`${name}: written by Automerge, taken by Holdfast's store`, async () => {
    const file = fileOf(table, (root) => !root._deleted)
    const { doc, answer } = await submit(file, write)
    assert.equal(answer.reason, undefined)
    same(doc, answer.state, file.file)
  })
}

const REFUSED = {
  'a number in a column of text': ['wrong_type', 'patients', (row) => (row.phone = 5551)],
  'a text object in a column that does not merge': ['wrong_type', 'patients', (row) => (row.phone = '555-1')],
  'bytes in a column of text': ['wrong_type', 'patients', (row) => (row.phone = new Uint8Array([1]))],
  'a map in a column of text': ['wrong_type', 'patients', (row) => (row.allergies = { latex: true })],
  'a boolean in a column of text': ['wrong_type', 'patients', (row) => (row.phone = true)],
  "Automerge's date in a column of times": [
    'wrong_type',
    'discharge_reports',
    (row) => (row.discharge_date = new Date(0)),
  ],
  'a float in a column of integers': ['wrong_type', 'supplies', (row) => (row.minimum_stock_level = 1.5)],
  'an unsigned integer in a column of integers': [
    'wrong_type',
    'supplies',
    (row) => (row.minimum_stock_level = new Uint(3)),
  ],
  'a number for a counter': ['wrong_type', 'supplies', (row) => (row.current_stock = 5)],
  'a counter for a number': ['wrong_type', 'supplies', (row) => (row.minimum_stock_level = new Counter(5))],
  'an integer beyond 32 bits': ['invalid_value', 'supplies', (row) => (row.minimum_stock_level = 2 ** 40)],
  'a counter beyond 32 bits': ['invalid_value', 'supplies', (row) => row.current_stock.increment(2 ** 40)],
  'a string that is too long': [
    'invalid_value',
    'patients',
    (row) => (row.phone = new ImmutableString('5'.repeat(21))),
  ],
  'a word that is not of the vocabulary': [
    'invalid_value',
    'patients',
    (row) => (row.gender = new ImmutableString('unheard of')),
  ],
  'null in a column that must be filled': ['invalid_value', 'patients', (row) => (row.first_name = null)],
  'a column that must be filled, deleted': ['wrong_type', 'patients', (row) => delete row.first_name],
  'another key': ['wrong_key', 'patients', (row) => (row.id = new Uint8Array(16))],
  'a column that there is not': ['unknown_column', 'patients', (row) => (row.shoe_size = 41)],
  'a restricted column outside its document': ['unknown_column', 'staff', (row) => (row.salary = null)],
  'a time that the engine sets': ['derived', 'patients', (row) => (row.updated_at = 5)],
  'a deletion mark that is no boolean': ['wrong_type', 'patients', (row) => (row._deleted = 1)],
}

for (const [name, [code, table, write]] of Object.entries(REFUSED)) {
  test(`${name}: written by Automerge, refused by Holdfast's store`, async () => {
    const file = fileOf(table, (root) => !root._deleted && (table !== 'patients' || root.first_name))
    const { answer } = await submit(file, write)
    assert.equal(answer.code, code, JSON.stringify(answer))
    assert.ok(answer.reason.includes(table) && answer.reason.includes(file.row), answer.reason)
  })
}

test('an empty change is refused', async () => {
  const file = fileOf('patients')
  const before = load(file, holdfast.actor)
  const doc = Automerge.emptyChange(before)
  const answer = await holdfast.submit(file, Automerge.getChanges(before, doc))
  assert.equal(answer.code, 'empty_change')
})

test('a change that another device made is refused', async () => {
  const { answer } = await submit(fileOf('patients'), (row) => (row.phone = null), ACTORS[1])
  assert.equal(answer.code, 'wrong_actor')
})

test('a change whose predecessor is not here waits for it', async () => {
  const file = fileOf('patients')
  const first = Automerge.change(load(file, holdfast.actor), (row) => (row.phone = new ImmutableString('1')))
  const second = Automerge.change(first, (row) => (row.phone = new ImmutableString('2')))
  const answer = await holdfast.submit(file, Automerge.getChanges(first, second))
  assert.match(answer.reason, /^\[Waiting/)
})

test('what the store has taken is exported, and loads as the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-automerge-'))
  try {
    const file = fileOf('patients')
    const { doc, answer } = await submit(file, (row) => (row.medical_history = 'well again'))
    assert.equal(answer.reason, undefined)
    const { files } = await holdfast.export(folder)
    assert.equal(files, holdfast.files.length)
    const loaded = Automerge.load(new Uint8Array(readFileSync(join(folder, file.file))))
    same(loaded, answer.state, file.file)
    assert.deepEqual(Automerge.toJS(loaded), Automerge.toJS(doc))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
