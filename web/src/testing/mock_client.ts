/** Takes the engine's place with `vite --mode mock`. `?role=cleaner&signedOut&users&locked&offline&otherHospital&firstSync&renewing&differences=2&unfolded=1&hub=unlinked&quiet` choose what is seen. */
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
  connection: wanted.has('otherHospital') ? 'otherHospital' : wanted.has('offline') ? 'offline' : 'online',
  firstSync: wanted.has('firstSync'),
  renewing: wanted.has('renewing'),
  differences: Number(wanted.get('differences')),
  unfolded: Number(wanted.get('unfolded')),
  quiet: wanted.has('quiet'),
  hub: wanted.get('hub') === 'unlinked' ? 'unlinked' : wanted.has('hub') ? 'linked' : 'none',
  users: wanted.has('users'),
  locked: wanted.has('locked'),
})

export function connect(): Engine {
  return engine
}
