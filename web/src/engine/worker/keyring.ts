/**
 * Who has signed in on this device: outside the encrypted stores, so that it can be read before one is open. It holds
 * names, wrapped keys and counts, and nothing of what anybody did.
 */
import { createStore, entries, del, set, update, type UseStore } from 'idb-keyval'
import type { DeviceUser } from '../port'
import type { Wrapped } from './wrapping'

export interface KeyRecord extends DeviceUser {
  /** A random name. */
  id: string
  /** The store's file. */
  file: string
  /** This device's public key in that store, in hexadecimal digits; the server is told it at the sign-in. */
  deviceKey: string
  wrapped: Wrapped
  /** The hospital that the store is a copy of; unknown until the next sign-in for a record of an earlier version. */
  hospital?: string
  /** A store of an earlier version, which is not known to be encrypted yet. */
  plain: boolean
  /** Passwords in a row that were wrong. */
  failures: number
  /** No password is tried before this time. Milliseconds since 1970. */
  notBefore: number
  /** Milliseconds since 1970. */
  lastUsed: number
}

export interface Keyring {
  /** The last user first. */
  all(): Promise<KeyRecord[]>
  put(record: KeyRecord): Promise<void>
  /** Changes a record that is there. */
  change(id: string, parts: Partial<KeyRecord>): Promise<void>
  remove(id: string): Promise<void>
}

export function openKeyring(): Keyring {
  const store: UseStore = createStore('holdfast-keyring', 'people')
  return {
    async all() {
      const found = await entries<string, KeyRecord | undefined>(store)
      const records = found.flatMap(([, record]) => (record ? [record] : []))
      return records.sort((one, other) => other.lastUsed - one.lastUsed)
    },
    put: (record) => set(record.id, record, store),
    change: (id, parts) =>
      // What was removed meanwhile leaves an empty record, which `all` passes over.
      update<KeyRecord | undefined>(id, (old) => (old ? { ...old, ...parts } : undefined), store),
    remove: (id) => del(id, store),
  }
}

/** Names of people are told apart as the server tells them, but found however they are typed. */
export function findRecord(
  records: readonly KeyRecord[],
  server: string,
  username: string,
): KeyRecord | undefined {
  const there = records.filter((record) => record.server === server)
  const folded = username.toLowerCase()
  return (
    there.find((record) => record.username === username) ??
    there.find((record) => record.username.toLowerCase() === folded)
  )
}

/** Wrong passwords that cost no wait: a slip of a finger. */
const FREE = 3
const LONGEST = 300_000

/** Milliseconds to wait after so many wrong passwords in a row: 2 s, 4 s, 8 s … 5 min. */
export function waitAfter(failures: number): number {
  return failures < FREE ? 0 : Math.min(2_000 * 2 ** (failures - FREE), LONGEST)
}
