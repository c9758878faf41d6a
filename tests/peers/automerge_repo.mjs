/**
 * automerge-repo with the server that its authors publish as automerge-repo-sync-server, built of the same parts at the same
 * version: `node automerge_repo.mjs ROWS.json CHANGES` prints seconds and bytes as JSON.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Repo } from '@automerge/automerge-repo'
import { NodeWSServerAdapter, WebSocketClientAdapter } from '@automerge/automerge-repo-network-websocket'
import { NodeFSStorageAdapter } from '@automerge/automerge-repo-storage-nodefs'
import { WebSocketServer } from 'ws'
import { countBefore } from './counter.mjs'
import { folder, startServer, task, tell, timed, until } from './surroundings.mjs'

if (process.argv[2] === 'serve') await serve(process.argv[3])
else await measure(task())

async function serve(data) {
  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  const repo = new Repo({
    network: [new NodeWSServerAdapter(new WebSocketServer({ server: http }))],
    storage: new NodeFSStorageAdapter(data),
    peerId: 'server',
    sharePolicy: async () => false,
  })
  // Asked which of these documents it has in these versions.
  process.on('message', (wanted) => {
    const has = ([id, heads]) => {
      const handle = repo.handles[id]
      return handle?.isReady() && String(handle.heads()) === heads
    }
    process.send({ missing: wanted.filter((document) => !has(document)).length })
  })
  process.send({ port: http.address().port })
}

function open(name) {
  return new Repo({ network: [], storage: new NodeFSStorageAdapter(folder(name)), peerId: name })
}

function dial(repo, port) {
  repo.networkSubsystem.addNetworkAdapter(new WebSocketClientAdapter(`ws://127.0.0.1:${port}`))
}

function versions(handles) {
  return handles.map((handle) => [handle.documentId, String(handle.heads())])
}

async function measure({ rows, changes }) {
  const server = await startServer(fileURLToPath(import.meta.url), folder('server'))
  const counter = await countBefore(server.port)
  console.error(`  automerge-repo: ${rows.length} rows`)

  const laptop = open('laptop')
  const [write, handles] = await timed(async () => {
    const made = rows.map((row) => laptop.create(row))
    await laptop.flush()
    return made
  })
  const has = async (wanted) => (await server.ask(wanted)).missing === 0
  const [push] = await timed(async () => {
    dial(laptop, counter.port)
    const wanted = versions(handles)
    await until(() => has(wanted))
  })
  const urls = handles.map((handle) => handle.url)

  const tablet = open('tablet')
  const [pull, copied] = await timed(() => {
    dial(tablet, server.port)
    return Promise.all(urls.map((url) => tablet.find(url)))
  })

  await laptop.flush()
  await laptop.shutdown()
  const again = open('laptop')
  const known = await Promise.all(urls.map((url) => again.find(url)))
  const change = (handle) => handle.change((row) => (row.phone = '+49 30 7777777'))
  const mine = known.slice(0, changes)
  const others = copied.slice(changes, 2 * changes)
  others.forEach(change)
  const news = versions(others)
  await until(() => has(news))
  mine.forEach(change)
  await again.flush()
  const before = counter.bytes
  const [reconnect] = await timed(async () => {
    dial(again, counter.port)
    const mineNow = versions(mine)
    const arrived = () => String(versions(known.slice(changes, 2 * changes))) === String(news)
    await until(async () => arrived() && (await has(mineNow)))
  })
  const reconnectBytes = counter.bytes - before
  const memory = server.memory()
  server.stop()
  tell({ write, push, pull, reconnect, reconnectBytes, memory })
}
