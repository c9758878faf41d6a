/**
 * A demo hospital of its own for each journey: copied from one that is made once per test file and store, served, and
 * read by plain SQL behind the server's back.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'
import { freePort, Server } from './server.mjs'
import { newFolder, openSqlJs, postgresUrl, SERVER } from './surroundings.mjs'

const execute = promisify(execFile)
const SIZE = ['--beds', '60', '--patients', '200']

/** The stores that journeys are made on: each makes a served hospital. */
export const STORES = { PostgreSQL: onPostgres, SQLite: onSqlite }

// PostgreSQL

let template = null
let databases = 0
// Here and not where it is made: within a test it would be gone after that test.
after(async () => template && asSuperuser(`DROP DATABASE ${await template} WITH (FORCE)`))

export async function onPostgres() {
  template ??= makeTemplate()
  databases += 1
  const name = `journey_${process.pid}_${databases}`
  await asSuperuser(`CREATE DATABASE ${name} TEMPLATE ${await template}`)
  const url = databaseUrl(name)
  const server = new Server(['--database', url], await freePort())
  await server.start()
  return {
    server,
    url: server.url,
    store: 'PostgreSQL',
    sql: (query) => rowsOf(url, query),
    sqlAll: (queries) => Promise.all(queries.map((query) => rowsOf(url, query))),
    /** Without the server's knowledge. */
    change: (statement) => psql(url, statement),
    /** As an administrator does on the server; the user's sessions end. */
    setPassword: (username, password) => setPassword(username, password, url),
    async close() {
      await server.kill()
      await asSuperuser(`DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function setPassword(username, password, url) {
  const options = ['user', 'password', username, '--password-stdin', '--database', url]
  const set = execute(SERVER, options)
  set.child.stdin.end(password)
  await set
}

async function makeTemplate() {
  const name = `journey_template_${process.pid}`
  await asSuperuser(`CREATE DATABASE ${name}`)
  await execute(SERVER, ['demo', ...SIZE, '--database', databaseUrl(name)])
  return name
}

function databaseUrl(name) {
  const url = new URL(postgresUrl())
  url.pathname = `/${name}`
  return url.href
}

/** `psql` as it stands in PATH, or where Debian puts it. */
function psqlProgram() {
  const debian = '/usr/lib/postgresql'
  const folders = existsSync(debian)
    ? readdirSync(debian).map((version) => path.join(debian, version, 'bin'))
    : []
  const places = [...(process.env.PATH ?? '').split(':'), ...folders]
  const found = places.map((folder) => path.join(folder, 'psql')).find((file) => existsSync(file))
  if (!found) throw new Error('psql is missing: install `postgresql-client`')
  return found
}

async function psql(url, statement) {
  const options = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1']
  const { stdout } = await execute(psqlProgram(), [...options, '--command', statement, url], {
    maxBuffer: 1 << 27,
    env: { ...process.env, PGTZ: 'UTC' },
  })
  return stdout.trim()
}

const asSuperuser = (statement) => psql(postgresUrl(), statement)

async function rowsOf(url, query) {
  return JSON.parse(await psql(url, `SELECT coalesce(json_agg(row_to_json(q)), '[]') FROM (${query}) AS q`))
}

// SQLite

let original = null

export async function onSqlite() {
  original ??= makeOriginal()
  const folder = newFolder('data')
  cpSync(await original, folder, { recursive: true })
  const server = new Server(['--data', folder], await freePort())
  await server.start()
  return {
    server,
    url: server.url,
    store: 'SQLite',
    sql: async (query) => (await readSqlite(server, folder, [query]))[0],
    sqlAll: (queries) => readSqlite(server, folder, queries),
    close: () => server.kill(),
  }
}

async function makeOriginal() {
  const folder = newFolder('original')
  await execute(SERVER, ['demo', ...SIZE, '--data', folder])
  return folder
}

/** A server that ended in good order leaves one whole file, which any SQLite can read. */
export async function readSqlite(server, folder, queries) {
  await server.stop()
  const bytes = readFileSync(path.join(folder, 'holdfast.sqlite'))
  await server.start()
  const SQL = await openSqlJs()
  const database = new SQL.Database(withoutWal(bytes))
  try {
    return queries.map((query) => objects(database.exec(query)))
  } finally {
    database.close()
  }
}

function objects([answer]) {
  if (!answer) return []
  return answer.values.map((row) => Object.fromEntries(answer.columns.map((name, at) => [name, row[at]])))
}

/** The file says that it wants a write-ahead log beside it, which a database in memory cannot have. */
function withoutWal(bytes) {
  bytes[18] = 1
  bytes[19] = 1
  return bytes
}
