import { beforeEach, describe, expect, it, vi } from 'vitest'
import { findRecord, waitAfter, type Keyring, type KeyRecord } from './keyring'
import { People, type AlreadyOpen } from './people'
import type { Replica } from './replica'
import { OtherHospital } from './sign_in'
import type { Stores } from './stores'

const SERVER = 'https://hospital.example'

/** Stores in memory: each remembers its key and what waits in it. */
class FakeStores implements Stores {
  readonly kept = new Map<string, { key: string | null; waiting: number; username: string | null }>()
  readonly open_ = new Set<string>()

  open = async (file: string, key: Uint8Array | null): Promise<Replica> => {
    const named = key && String(key)
    const store = this.kept.get(file) ?? { key: named, waiting: 0, username: null }
    if (store.key !== named) throw { code: 'store', message: 'file is not a database' }
    if (this.open_.has(file)) throw new Error(`${file} is open already`)
    this.kept.set(file, store)
    this.open_.add(file)
    const session = () =>
      store.username && { username: store.username, displayName: store.username, server: SERVER }
    return {
      deviceKey: () => `device of ${file}`,
      token: () => undefined,
      status: () => ({ session: session(), waiting: store.waiting }),
      beginSession: (answer: string) => ((store.username = answer), session()),
      encrypt: (with_: Uint8Array) => (store.key = String(with_)),
      close: () => this.open_.delete(file),
    } as unknown as Replica
  }
  files = async () => [...this.kept.keys()].map((name) => `/${name}`)
  remove = async (file: string) => void this.kept.delete(file)
  release = async () => undefined
}

class FakeKeyring implements Keyring {
  readonly records = new Map<string, KeyRecord>()
  all = async () => [...this.records.values()]
  put = async (record: KeyRecord) => void this.records.set(record.id, { ...record })
  change = async (id: string, parts: Partial<KeyRecord>) => {
    const old = this.records.get(id)
    if (old) this.records.set(id, { ...old, ...parts })
  }
  remove = async (id: string) => void this.records.delete(id)
}

let stores: FakeStores
let keyring: FakeKeyring
let passwords: Map<string, string>
let reachable: boolean
let elsewhere: boolean
let now: number
let asked: { username: string; deviceKey: string }[]
let people: People

vi.stubGlobal('navigator', { userAgent: 'Chrome/1 Android', onLine: true })

beforeEach(() => {
  stores = new FakeStores()
  keyring = new FakeKeyring()
  passwords = new Map([
    ['maria', 'right'],
    ['nils', 'other'],
  ])
  reachable = true
  elsewhere = false
  now = 1_000_000
  asked = []
  const ask = async (who: { username: string; password: string }, { deviceKey }: { deviceKey: string }) => {
    if (!reachable) throw { code: 'offline', message: 'The server could not be reached.' }
    if (elsewhere) throw new OtherHospital('elsewhere')
    asked.push({ username: who.username, deviceKey })
    if (passwords.get(who.username) === who.password) return who.username
    throw { code: 'sign_in_failed', message: 'User name or password is wrong.' }
  }
  people = new People(stores, keyring, ask, () => now, 1_000)
})

async function signIn(
  username: string,
  password: string,
  more: { oldPassword?: string; startAnew?: boolean } = {},
  open: AlreadyOpen | null = null,
) {
  const record = findRecord(await keyring.all(), SERVER, username)
  return people.signIn({ server: SERVER, username, password, ...more }, record, open)
}

/** Signs in and out again, leaving work behind. */
async function visited(username: string, password: string, waiting = 0) {
  const { record, replica } = await signIn(username, password)
  const store = stores.kept.get(record.file)
  if (store) store.waiting = waiting
  replica.close()
  return record
}

describe('signing in', () => {
  it('gives each person a store of their own, with a device and a key of its own', async () => {
    const [maria, nils] = [await visited('maria', 'right'), await visited('nils', 'other')]
    expect(maria.file).not.toBe(nils.file)
    expect(maria.deviceKey).not.toBe(nils.deviceKey)
    expect(stores.kept.get(maria.file)?.key).not.toBe(stores.kept.get(nils.file)?.key)
    expect(JSON.stringify([...keyring.records.values()])).not.toContain('right')
  })

  it('leaves nothing behind when the server refuses the first time', async () => {
    await expect(signIn('maria', 'wrong')).rejects.toMatchObject({ code: 'sign_in_failed' })
    reachable = false
    await expect(signIn('maria', 'right')).rejects.toMatchObject({ code: 'offline' })
    expect([stores.kept.size, stores.open_.size, keyring.records.size]).toEqual([0, 0, 0])
  })

  it('works without the server for who was here before, and keeps the password until the server has heard it', async () => {
    const before = await visited('maria', 'right', 2)
    reachable = false
    const { record, secret, replica } = await signIn('Maria', 'right')
    expect([record.file, secret.password, replica.status().waiting]).toEqual([before.file, 'right', 2])
  })

  it('lets nobody be kept from their data by another hospital at the address', async () => {
    const before = await visited('maria', 'right', 2)
    elsewhere = true
    const { record, secret, replica } = await signIn('maria', 'right')
    expect([record.file, secret.password, replica.status().waiting]).toEqual([before.file, 'right', 2])
    replica.close()
    await expect(signIn('maria', 'rigth')).rejects.toMatchObject({ code: 'other_hospital' })
  })

  it('tells a wrong password without the server, and lets one wait longer each time', async () => {
    const { id } = await visited('maria', 'right')
    reachable = false
    for (let slips = 0; slips < 3; slips += 1)
      await expect(signIn('maria', 'rigth')).rejects.toMatchObject({ code: 'sign_in_failed' })
    await expect(signIn('maria', 'right')).rejects.toMatchObject({
      code: 'too_many_attempts',
      message: 'Too many wrong passwords. Try again in 2 seconds.',
    })
    now += 2_000
    await signIn('maria', 'right')
    expect(keyring.records.get(id)?.failures).toBe(0)
    expect([0, 1, 2, 3, 4, 5, 20].map(waitAfter)).toEqual([0, 0, 0, 2_000, 4_000, 8_000, 300_000])
  })

  it('does not take an old password that the server refuses', async () => {
    await visited('maria', 'right')
    passwords.set('maria', 'new')
    await expect(signIn('maria', 'right')).rejects.toMatchObject({
      code: 'sign_in_failed',
      message: expect.stringContaining('changed on another device') as unknown,
    })
    expect(stores.open_.size).toBe(0)
  })

  it('asks for the old password once when it was changed elsewhere, and wraps the key anew', async () => {
    const before = await visited('maria', 'right', 3)
    passwords.set('maria', 'new')
    await expect(signIn('maria', 'new')).rejects.toMatchObject({ code: 'password_changed' })
    await expect(signIn('maria', 'new', { oldPassword: 'x' })).rejects.toMatchObject({
      code: 'sign_in_failed',
    })
    const opened = await signIn('maria', 'new', { oldPassword: 'right' })
    expect([opened.record.file, opened.replica.status().waiting]).toEqual([before.file, 3])
    opened.replica.close()
    reachable = false
    await signIn('maria', 'new')
  })

  it('starts anew only when it is told to, and gives that store up', async () => {
    const before = await visited('maria', 'right', 3)
    passwords.set('maria', 'new')
    await expect(signIn('maria', 'newer', { startAnew: true })).rejects.toMatchObject({
      code: 'sign_in_failed',
    })
    expect(stores.kept.has(before.file)).toBe(true)
    const opened = await signIn('maria', 'new', { startAnew: true })
    expect(opened.record.file).not.toBe(before.file)
    expect(stores.kept.has(before.file)).toBe(false)
    expect(keyring.records.size).toBe(1)
  })

  it('starts anew only where the device cannot open what is there', async () => {
    const before = await visited('maria', 'right', 3)
    const { record } = await signIn('maria', 'right', { startAnew: true })
    expect(record.file).toBe(before.file)
  })

  it('needs no old password while the store is open', async () => {
    await visited('maria', 'right')
    const opened = await signIn('maria', 'right')
    passwords.set('maria', 'new')
    const again = await signIn(
      'maria',
      'new',
      {},
      { secret: opened.secret, work: { replica: opened.replica } },
    )
    expect(again.secret.key).toEqual(opened.secret.key)
    opened.replica.close()
    reachable = false
    await signIn('maria', 'new')
  })

  it('never asks the server in another device’s name', async () => {
    const maria = await visited('maria', 'right')
    await visited('maria', 'right')
    expect(asked.map((one) => one.deviceKey)).toEqual([maria.deviceKey, maria.deviceKey])
  })
})

describe('a store of a version before encryption', () => {
  beforeEach(() => void stores.kept.set('replica.db', { key: null, waiting: 4, username: 'maria' }))

  it('becomes the encrypted store of its person, with what waits in it', async () => {
    const { record, replica } = await signIn('maria', 'right')
    expect([record.file, record.waiting, replica.deviceKey()]).toEqual([
      'replica.db',
      4,
      'device of replica.db',
    ])
    expect(stores.kept.get('replica.db')?.key).not.toBeNull()
    replica.close()
    reachable = false
    await signIn('maria', 'right')
  })

  it('is nobody else’s', async () => {
    const { record } = await signIn('nils', 'other')
    expect(record.file).not.toBe('replica.db')
    expect(stores.kept.get('replica.db')).toMatchObject({ key: null, waiting: 4 })
    expect([...stores.open_]).toEqual([record.file])
  })

  it('opens whether its encryption was interrupted before or after', async () => {
    const record = await visited('maria', 'right')
    for (const key of [null, stores.kept.get('replica.db')?.key ?? null]) {
      await keyring.change(record.id, { plain: true })
      stores.kept.set('replica.db', { key, waiting: 4, username: 'maria' })
      const { replica } = await signIn('maria', 'right')
      expect(keyring.records.get(record.id)?.plain).toBe(false)
      replica.close()
    }
  })
})
