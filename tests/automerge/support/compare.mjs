// Compares a document of Automerge's library with what Holdfast says it holds: see `tests/src/exchange/state.rs`.

import * as Automerge from '@automerge/automerge'
import assert from 'node:assert/strict'

import { hex } from './exchange.mjs'

/** Fails unless heads, all values and all conflicts are the same. Returns how many places have several values. */
export function same(doc, state, name) {
  assert.deepEqual([...Automerge.getHeads(doc)].sort(), state.heads, `heads of ${name}`)
  for (const [key, live] of Object.entries(state.root)) {
    const conflicts = Object.keys(Automerge.getConflicts(doc, key) ?? {}).sort()
    const names = live.length === 1 ? [] : live.map(([operation]) => operation)
    assert.deepEqual(conflicts, names.sort(), `conflicts of ${name}.${key}`)
  }
  // The library's lower level tells types, and what is inside of values that are not shown.
  return map(Automerge.getBackend(doc), '_root', state.root, name)
}

function map(backend, object, expected, path) {
  assert.deepEqual(backend.keys(object).sort(), Object.keys(expected).sort(), `keys of ${path}`)
  const sum = (conflicts, [key, live]) => conflicts + place(backend, object, key, live, `${path}.${key}`)
  return Object.entries(expected).reduce(sum, 0)
}

/** A key of a map or a place in a list: the last value is the one that is shown. */
function place(backend, object, key, live, path) {
  const all = backend.getAll(object, key).map((found) => [found.at(-1), found])
  const names = live.map(([operation]) => operation)
  assert.deepEqual(all.map(([operation]) => operation).sort(), [...names].sort(), `operations of ${path}`)
  const [kind, content] = backend.getWithType(object, key)
  const [shown, [expectedKind]] = live.at(-1)
  assert.equal(kind, expectedKind, `what ${path} shows`)
  if (isObject(kind)) assert.equal(content, shown, `what ${path} shows`)
  const found = Object.fromEntries(all)
  const inside = live.map(([operation, expected]) =>
    value(backend, found[operation], expected, `${path} (${operation})`),
  )
  value(backend, [kind, content], live.at(-1)[1], path)
  return inside.reduce((sum, conflicts) => sum + conflicts, live.length > 1 ? 1 : 0)
}

function isObject(kind) {
  return kind === 'map' || kind === 'list' || kind === 'text'
}

function value(backend, [kind, found], [expectedKind, expected], path) {
  assert.equal(kind, expectedKind, `type of ${path}`)
  switch (kind) {
    case 'map':
      return map(backend, found, expected, path)
    case 'list':
      assert.equal(backend.length(found), expected.length, `length of ${path}`)
      return expected.reduce((sum, live, i) => sum + place(backend, found, i, live, `${path}[${i}]`), 0)
    case 'text':
      assert.equal(backend.text(found), expected, path)
      return 0
    case 'bytes':
      assert.equal(hex(found), expected, path)
      return 0
    case 'timestamp':
      assert.equal(found.getTime(), expected, path)
      return 0
    case 'null':
      return 0
    case 'counter':
    case 'int':
    case 'uint':
      assert.equal(Number(found), expected, path)
      return 0
    default:
      assert.equal(found, expected, path)
      return 0
  }
}
