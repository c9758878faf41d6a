import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Keyring, KeyRecord } from './keyring'
import { Service, type Audience } from './service'
import type { Stores } from './stores'

const RECORD: KeyRecord = {
  id: 'maria',
  file: 'maria.db',
  deviceKey: 'device of maria',
  wrapped: {} as KeyRecord['wrapped'],
  plain: false,
  server: 'https://hospital.example',
  username: 'maria',
  displayName: 'Maria Berg',
  waiting: 2,
  failures: 0,
  notBefore: 0,
  lastUsed: 0,
}
const SECRET = { user: RECORD.id, key: new Uint8Array(32), password: null }

/** What opening the store throws. */
let broken: unknown

const stores: Stores = {
  open: async () => {
    throw broken
  },
  files: async () => [RECORD.file],
  remove: async () => expect.unreachable('nothing is removed'),
  release: async () => undefined,
}
const keyring: Keyring = {
  all: async () => [RECORD],
  put: async () => undefined,
  change: async () => undefined,
  remove: async () => expect.unreachable('nobody is forgotten'),
}
const service = () => new Service(stores, keyring, {} as Audience)

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  broken = { code: 'store', message: 'The disk is full.' }
})

describe('going on with a secret of before', () => {
  it('says whose store does not open, why, and what to do, and offers the sign-in', async () => {
    const mine = service()
    await mine.begin(SECRET)
    const { session, problem, users } = mine.status()
    expect([session, users.map((user) => user.username)]).toEqual([null, ['maria']])
    expect(problem).toContain("Maria Berg's data on this device could not be opened: The disk is full.")
    expect(problem).toContain('Sign in to try again')
  })

  it('has no problem to tell where nobody was signed in', async () => {
    const mine = service()
    await mine.begin(null)
    expect(mine.status()).toMatchObject({ session: null, problem: null })
    const other = service()
    await other.begin({ ...SECRET, user: 'gone' })
    expect(other.status()).toMatchObject({ session: null, problem: null })
  })

  it('leaves to the tab what another tab or a new worker mends', async () => {
    for (const code of ['locked', 'crashed', 'unexpected']) {
      broken = { code, message: 'not now' }
      await expect(service().begin(SECRET)).rejects.toMatchObject({ code })
    }
  })
})
