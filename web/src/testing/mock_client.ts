/** Takes the engine's place with `vite --mode mock`. `?role=cleaner&signedOut&users&locked&offline&firstSync&quiet` choose what is seen. */
import initSqlJs from 'sql.js'
import wasm from 'sql.js/dist/sql-wasm.wasm?url'
import type { Engine } from '../engine/port'
import { hospital } from './hospital'
import { mockEngine } from './mock_engine'
import { makeReplica } from './replica'

const wanted = new URLSearchParams(location.search)

const engine = mockEngine(makeReplica(await initSqlJs({ locateFile: () => wasm }), hospital(new Date())), {
  signedIn: !wanted.has('signedOut'),
  role: wanted.get('role') ?? 'nurse',
  connection: wanted.has('offline') ? 'offline' : 'online',
  firstSync: wanted.has('firstSync'),
  quiet: wanted.has('quiet'),
  users: wanted.has('users'),
  locked: wanted.has('locked'),
})

export function connect(): Engine {
  return engine
}
