/** All tables, as a device and as the server have them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { eventually } from './patience.mjs'
import { ROOT } from './surroundings.mjs'

/** The declaration's columns that every role sees, by table: `{ name, type, key }`. */
const TABLES = readDeclaration()
const TABLE_NAMES = [...TABLES.keys()]

function readDeclaration() {
  const tables = new Map()
  const text = readFileSync(path.join(ROOT, 'core/schema/hospital.csv'), 'utf8')
  for (const line of text.split(/\r?\n/).slice(1).filter(Boolean)) {
    const cells = line.match(/("[^"]*"|[^,]*)(,|$)/g).map((cell) => cell.replace(/,$/, ''))
    const [table, name, type, key] = cells
    const [merge, , access] = cells.slice(10)
    if (!tables.has(table)) tables.set(table, [])
    if (merge !== 'server' && access !== 'restricted')
      tables.get(table).push({ name, type, key: key === 'yes' })
  }
  return tables
}

const keysOf = (columns) => columns.filter((column) => column.key).map((column) => column.name)

/** PostgreSQL's values as the engine writes them. */
function inPostgres({ name, type }) {
  if (type === 'timestamptz')
    return `to_char(${name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${name}`
  if (type === 'boolean') return `${name}::int AS ${name}`
  if (type.startsWith('"numeric')) return `${name}::text AS ${name}`
  return name
}

function query(table, column) {
  const columns = TABLES.get(table)
  return `SELECT ${columns.map(column).join(', ')} FROM ${table}`
}

const plain = (column) => column.name

async function dump(askAll, column) {
  const rows = await askAll(TABLE_NAMES.map((table) => query(table, column)))
  return Object.fromEntries(TABLE_NAMES.map((table, at) => [table, rows[at]]))
}

const ofDevice = (device) => dump((queries) => Promise.all(queries.map((sql) => device.query(sql))), plain)
const ofServer = ({ store, sqlAll }) => dump(sqlAll, store === 'PostgreSQL' ? inPostgres : plain)

/** Every row of all tables is the same on all devices and in the server's tables. */
export async function sameEverywhere(devices, hospital) {
  const [first, ...others] = devices
  assert.equal(TABLE_NAMES.length, 33)
  let expected
  await eventually('all devices have the same rows', async () => {
    expected = await ofDevice(first)
    for (const other of others) {
      const found = differences(expected, await ofDevice(other))
      assert.equal(found.length, 0, `${first.name} and ${other.name} differ:\n${found.join('\n')}`)
    }
    return true
  })
  assert.ok(expected.patients.length >= 200)
  const found = differences(expected, await ofServer(hospital))
  assert.equal(found.length, 0, `${first.name} and ${hospital.store} differ:\n${found.join('\n')}`)
}

/** The first few differences between two dumps, in words. */
function differences(left, right) {
  const found = []
  for (const table of TABLE_NAMES) {
    const [lefts, rights] = [left, right].map((tables) => byKey(table, tables[table]))
    for (const key of new Set([...lefts.keys(), ...rights.keys()])) {
      const [one, other] = [lefts.get(key), rights.get(key)]
      if (!one || !other) found.push(`${table} ${key}: ${one ? 'only on the left' : 'only on the right'}`)
      else {
        for (const { name } of TABLES.get(table)) {
          if (one[name] === other[name]) continue
          found.push(`${table} ${key} ${name}: ${JSON.stringify(one[name])} | ${JSON.stringify(other[name])}`)
        }
      }
    }
  }
  return found.length > 6 ? [...found.slice(0, 6), `and ${found.length - 6} more`] : found
}

function byKey(table, rows) {
  const keys = keysOf(TABLES.get(table))
  return new Map(rows.map((row) => [keys.map((name) => row[name]).join('/'), row]))
}
