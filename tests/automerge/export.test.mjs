// What Holdfast exports, loaded by Automerge's own library.

import * as Automerge from '@automerge/automerge'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { same } from './support/compare.mjs'
import { start } from './support/exchange.mjs'

const TABLES = ['patients', 'supplies', 'discharge_reports', 'staff', 'staff_meeting_participants']

let holdfast
before(async () => {
  holdfast = await start()
})
after(() => holdfast?.stop())

/** Loads files and compares them. */
function check(files) {
  let conflicts = 0
  for (const file of files) {
    const doc = Automerge.load(holdfast.bytes(file))
    conflicts += same(doc, file.state, file.file)
    assert.equal(file.heads, file.state.heads.join(' '), 'the manifest tells the heads')
    assert.equal(Automerge.getAllChanges(doc).length, file.changes, `changes of ${file.file}`)
  }
  return conflicts
}

for (const table of TABLES) {
  test(`histories of ${table} have the same values, conflicts and heads in Automerge`, (context) => {
    const files = holdfast.files.filter((file) => file.table === table)
    assert.ok(files.length > 50, `${files.length} files`)
    const conflicts = check(files)
    if (table !== 'staff_meeting_participants') assert.ok(conflicts > 0, 'some places have several values')
    context.diagnostic(`${files.length} documents, ${conflicts} places with several values`)
  })
}

test('rows of all 33 tables, every column filled, are the same in Automerge', () => {
  const tables = new Set(holdfast.files.map((file) => file.table))
  assert.equal(tables.size, 33)
  check(holdfast.files.filter((file) => !TABLES.includes(file.table)))
})

test('restricted columns are in documents of their own', () => {
  const restricted = holdfast.files.filter((file) => file.part === 'restricted')
  assert.ok(restricted.length > 50)
  for (const file of restricted) {
    assert.ok(file.file.endsWith('.restricted.automerge'))
    assert.deepEqual(Object.keys(Automerge.load(holdfast.bytes(file))), ['salary'])
  }
})

test('a document with more than 1,000 changes is the same in Automerge', () => {
  const file = holdfast.files.find((file) => file.row === holdfast.long)
  assert.ok(file.changes > 1000, `${file.changes} changes`)
  check([file])
})

test('packed changes are among those that were loaded', () => {
  const isPacked = (file) => holdfast.bytes(file)[8] === 2
  const packed = holdfast.files.filter(isPacked).length
  assert.ok(packed > 100, `${packed} of ${holdfast.files.length}`)
})

test('a document that Automerge saves again loads as the same', () => {
  for (const file of holdfast.files.filter((file) => file.table === 'discharge_reports')) {
    const saved = Automerge.save(Automerge.load(holdfast.bytes(file)))
    same(Automerge.load(saved), file.state, file.file)
  }
})
