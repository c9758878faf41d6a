/** All tables, as a device and as the server have them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { eventually } from './patience.mjs'
import { ROOT } from './surroundings.mjs'

/** The declaration's columns that every role sees, by table: `{ name, type, key }`. */
const TABLES = readDeclaration()
export const TABLE_NAMES = [...TABLES.keys()]

function readDeclaration() {
  const tables = new Map()
  const text = readFileSync(path.join(ROOT, 'core/schema/hospital.csv'), 'utf8')
  for (const line of text.split('\n').slice(1).filter(Boolean)) {
    const cells = line.match(/("[^"]*"|[^,]*)(,|$)/g).map((cell) => cell.replace(/,$/, ''))
    const [table, name, type, key] = cells
    const [merge, , access] = cells.slice(10)
    if (!tables.has(table)) tables.set(table, [])
    if (merge !== 'server' && access !== 'restricted') tables.get(table).push({ name, type, key: key === 'yes' })
  }
  return tables
}

const keysOf = (columns) => columns.filter((column) => column.key).map((column) => column.name)

/** PostgreSQL's values as the engine writes them. */
function inPostgres({ name, type }) {
  if (type === 'timestamptz') return `to_char(${name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${name}`
  if (type === 'boolean') return `${name}::int AS ${name}`
  if (type.startsWith('"numeric')) return `${name}::text AS ${name}`
  return name
}

function query(table, column) {
  const columns = TABLES.get(table)
  return `SELECT ${columns.map(column).join(', ')} FROM ${table} ORDER BY ${keysOf(columns).join(', ')}`
}

async function dump(ask, column) {
  const tables = {}
  for (const table of TABLE_NAMES) tables[table] = await ask(query(table, column))
  return tables
}

export const ofDevice = (device) => dump((sql) => device.query(sql), (column) => column.name)
export const ofPostgres = (hospital) => dump((sql) => hospital.sql(sql), inPostgres)

/** Every row of all tables is the same on all devices, and in PostgreSQL if `hospital` is given. */
export async function sameEverywhere(devices, hospital) {
  const [first, ...others] = devices
  assert.equal(TABLE_NAMES.length, 33)
  let expected
  await eventually('all devices have the same rows', async () => {
    expected = await ofDevice(first)
    for (const other of others) assert.deepEqual(await ofDevice(other), expected)
    return true
  })
  assert.ok(expected.patients.length >= 200)
  if (hospital) assert.deepEqual(await ofPostgres(hospital), expected)
}
