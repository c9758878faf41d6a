/** PouchDB with its own server (express-pouchdb): `node pouchdb.mjs ROWS.json CHANGES` prints seconds and bytes as JSON. */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import expressPouch from 'express-pouchdb'
import PouchDB from 'pouchdb'
import { countBefore } from './counter.mjs'
import { folder, startServer, task, tell, timed } from './surroundings.mjs'

if (process.argv[2] === 'serve') await serve(process.argv[3])
else await measure(task())

async function serve(data) {
  mkdirSync(data, { recursive: true })
  const app = express()
  const Stored = PouchDB.defaults({ prefix: `${data}/` })
  app.use(
    '/',
    expressPouch(Stored, {
      mode: 'minimumForPouchDB',
      inMemoryConfig: true,
      logPath: path.join(data, 'log'),
    }),
  )
  const http = app.listen(0, '127.0.0.1')
  await once(http, 'listening')
  process.send({ port: http.address().port })
}

function open(name) {
  mkdirSync(folder(''), { recursive: true })
  return new PouchDB(folder(name))
}

async function measure({ rows, changes }) {
  const server = await startServer(fileURLToPath(import.meta.url), folder('server'))
  const counter = await countBefore(server.port)
  const remote = (port) => new PouchDB(`http://127.0.0.1:${port}/hospital`)
  console.error(`  PouchDB: ${rows.length} rows`)

  const laptop = open('laptop')
  const ids = rows.map((row) => row.patient_number)
  const [write] = await timed(async () => {
    for (const row of rows) await laptop.put({ _id: row.patient_number, ...row })
  })
  const complete = ({ docs_written: written, errors }) => {
    if (written !== rows.length || errors.length > 0)
      throw new Error(`${written} of ${rows.length} rows: ${errors}`)
  }
  const [push, pushed] = await timed(() => laptop.replicate.to(remote(counter.port), { batch_size: 1_000 }))
  complete(pushed)
  const tablet = open('tablet')
  const [pull, pulled] = await timed(() => tablet.replicate.from(remote(server.port), { batch_size: 1_000 }))
  complete(pulled)

  const change = async (database, id) => {
    const row = await database.get(id)
    await database.put({ ...row, phone: '+49 30 7777777' })
  }
  for (const id of ids.slice(changes, 2 * changes)) await change(tablet, id)
  await tablet.replicate.to(remote(server.port))
  for (const id of ids.slice(0, changes)) await change(laptop, id)
  const before = counter.bytes
  const [reconnect, exchanged] = await timed(() => laptop.sync(remote(counter.port)))
  if (exchanged.push.docs_written !== changes || exchanged.pull.docs_written !== changes) {
    throw new Error(`not all came: ${JSON.stringify(exchanged)}`)
  }
  const reconnectBytes = counter.bytes - before
  const memory = server.memory()
  server.stop()
  tell({ write, push, pull, reconnect, reconnectBytes, memory })
}
