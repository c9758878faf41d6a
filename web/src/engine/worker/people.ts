/**
 * Signing in: finds out whether the server or this device knows the password, and opens the person's store.
 *
 * ```text
 *                        the server says yes            … no        is not reached
 *  key unwraps           open, new session              refuse      open; the server hears of it later
 *  key does not unwrap   ask for the old password       refuse      refuse, and wait longer each time
 *  no key here           make a store                   refuse      refuse: the first time needs the network
 *
 * Another hospital's no counts as not reached.
 * ```
 */
import { asEngineError } from '../error'
import type { EngineError, Session, SignInRequest } from '../port'
import { deviceName } from './device_name'
import { waitAfter, type Keyring, type KeyRecord } from './keyring'
import type { Secret } from './protocol'
import type { Replica } from './replica'
import { askToSignIn, hospitalOf, tellSignedOut } from './sign_in'
import type { Stores } from './stores'
import { ITERATIONS, newKey, unwrap, wrap } from './wrapping'

/** Where versions before encryption kept the one store of the device. */
const EARLIER = 'replica.db'
/** Milliseconds for which a person who can be let in anyway waits for the server. */
const IMPATIENCE = 5_000

type Key = Uint8Array<ArrayBuffer>

export interface Opened {
  record: KeyRecord
  secret: Secret
  replica: Replica
  session: Session
}

/** The store that is open already: the same person signs in again. */
export interface AlreadyOpen {
  secret: Secret
  work: { replica: Replica }
}

export class People {
  constructor(
    private readonly stores: Stores,
    private readonly keyring: Keyring,
    private readonly askServer: typeof askToSignIn = askToSignIn,
    private readonly now: () => number = Date.now,
    private readonly iterations = ITERATIONS,
  ) {}

  /** Asks the server about who has a store here. Throws as `askToSignIn`. */
  ask(record: KeyRecord, password: string, patience?: number): Promise<string> {
    const { server, username, deviceKey, hospital } = record
    const known = hospital === undefined ? {} : { hospital }
    return this.askServer({ server, username, password, ...known }, device(deviceKey), patience)
  }

  /** `record` is what the device knows of the person. */
  async signIn(
    request: SignInRequest,
    record: KeyRecord | undefined,
    open: AlreadyOpen | null,
  ): Promise<Opened> {
    if (!record) return this.#first(request)
    this.#mayTry(record)
    const { password } = request
    const unwrapped = await unwrap(record.wrapped, password)
    const answer = await this.#answer(record, password, unwrapped !== null)
    const key = unwrapped ?? open?.secret.key ?? (await this.#keyByOther(record, request))
    if (!key) return this.#anew(request, record)
    const replica = open?.work.replica ?? (await this.open(record, key))
    try {
      const session = this.#session(replica, answer, record.server)
      const wrapped = unwrapped ? null : await wrap(key, password, this.iterations)
      const known = await this.#welcome(record, wrapped, answer)
      const secret = { user: record.id, key, password: answer === null ? password : null }
      return { record: known, secret, replica, session }
    } catch (thrown) {
      if (!open) replica.close()
      throw thrown
    }
  }

  /** Opens the store of somebody whose key is known. */
  async open(record: KeyRecord, key: Key): Promise<Replica> {
    if (!record.plain) return this.stores.open(record.file, key)
    // Its encryption was begun and may have ended or not.
    const replica = await this.stores.open(record.file, null).catch(() => null)
    if (replica) replica.encrypt(key)
    const opened = replica ?? (await this.stores.open(record.file, key))
    await this.keyring.change(record.id, { plain: false })
    return opened
  }

  /** The server's answer, or null if it was not reached and the device can tell by itself. */
  async #answer(record: KeyRecord, password: string, isRight: boolean): Promise<string | null> {
    try {
      return await this.ask(record, password, isRight ? IMPATIENCE : undefined)
    } catch (thrown) {
      const error = asEngineError(thrown)
      // Another hospital cannot know, and must not keep anybody from what is here.
      const unknown = error.code === 'offline' || error.code === 'other_hospital'
      if (unknown && isRight) return null
      if (error.code === 'offline') throw await this.#wrong(record, OFFLINE_WRONG)
      throw error.code === 'sign_in_failed' && isRight ? changedElsewhere(error) : error
    }
  }

  /** The server took a password that does not open what is here. Null: the person gives up what is here. */
  async #keyByOther(record: KeyRecord, request: SignInRequest): Promise<Key | null> {
    if (request.startAnew) return null
    if (request.oldPassword === undefined) throw passwordChanged()
    const key = await unwrap(record.wrapped, request.oldPassword)
    if (!key) throw await this.#wrong(record, OLD_WRONG)
    return key
  }

  async #anew(request: SignInRequest, record: KeyRecord): Promise<Opened> {
    await this.stores.remove(record.file)
    await this.keyring.remove(record.id)
    return this.#first(request)
  }

  /** Nobody of this name has signed in here. */
  async #first({ server, username, password }: SignInRequest): Promise<Opened> {
    const key = newKey()
    const earlier = await this.#earlier(server, username)
    const file = earlier ? EARLIER : `${crypto.randomUUID()}.db`
    const replica = earlier ?? (await this.stores.open(file, key))
    try {
      const deviceKey = replica.deviceKey()
      const answer = await this.askServer({ server, username, password }, device(deviceKey))
      const wrapped = await wrap(key, password, this.iterations)
      // The key is kept before anything depends on it.
      const session = replica.beginSession(answer, server)
      const record: KeyRecord = {
        id: crypto.randomUUID(),
        file,
        deviceKey,
        wrapped,
        plain: earlier !== null,
        ...stays(answer),
        server,
        username: session.username,
        displayName: session.displayName,
        waiting: replica.status().waiting,
        failures: 0,
        notBefore: 0,
        lastUsed: this.now(),
      }
      await this.keyring.put(record)
      if (earlier) {
        replica.encrypt(key)
        record.plain = false
        await this.keyring.change(record.id, { plain: false })
      }
      return { record, secret: { user: record.id, key, password: null }, replica, session }
    } catch (thrown) {
      replica.close()
      if (!earlier) await this.stores.remove(file)
      const error = asEngineError(thrown)
      throw error.code === 'offline' ? firstNeedsNetwork(error) : thrown
    }
  }

  /** The store of a version before encryption, if it is this person's or nobody's, with the work that waits in it. */
  async #earlier(server: string, username: string): Promise<Replica | null> {
    const [records, files] = await Promise.all([this.keyring.all(), this.stores.files()])
    const isThere = files.some((name) => name.replace(/^\//, '') === EARLIER)
    if (!isThere || records.some((record) => record.file === EARLIER)) return null
    const replica = await this.stores.open(EARLIER, null)
    const { session } = replica.status()
    const isTheirs = session?.server === server && session.username.toLowerCase() === username.toLowerCase()
    if (!session || isTheirs) return replica
    replica.close()
    return null
  }

  #session(replica: Replica, answer: string | null, server: string): Session {
    if (answer !== null) {
      const old = replica.token()
      const session = replica.beginSession(answer, server)
      if (old !== undefined) tellSignedOut(server, old)
      return session
    }
    const { session } = replica.status()
    if (!session) throw problem('offline', FIRST_OFFLINE)
    return session
  }

  /** Notes that somebody has come in; with `wrapped` under a new password, with the server's `answer` if it was asked. */
  async #welcome(
    record: KeyRecord,
    wrapped: KeyRecord['wrapped'] | null,
    answer: string | null,
  ): Promise<KeyRecord> {
    const now = { failures: 0, notBefore: 0, lastUsed: this.now() }
    const parts = { ...now, ...(wrapped ? { wrapped } : {}), ...stays(answer) }
    await this.keyring.change(record.id, parts)
    return { ...record, ...parts, plain: false }
  }

  #mayTry({ notBefore }: KeyRecord): void {
    const left = Math.ceil((notBefore - this.now()) / 1_000)
    if (left <= 0) return
    const wait = left < 90 ? `${left} seconds` : `${Math.ceil(left / 60)} minutes`
    throw problem('too_many_attempts', `Too many wrong passwords. Try again in ${wait}.`)
  }

  async #wrong(record: KeyRecord, message: string): Promise<EngineError> {
    const failures = record.failures + 1
    await this.keyring.change(record.id, { failures, notBefore: this.now() + waitAfter(failures) })
    return problem('sign_in_failed', message)
  }
}

const OFFLINE_WRONG =
  'This password is not right. The server is not reached, so it must be the one of your last sign-in on this device.'
const OLD_WRONG = 'This is not the old password. It is the one of your last sign-in on this device.'
const FIRST_OFFLINE =
  'You have not signed in on this device before. The first sign-in needs the network; from then on Holdfast works without it.'

const device = (deviceKey: string) => ({ deviceKey, deviceName: deviceName(navigator.userAgent) })
const stays = (answer: string | null): Pick<KeyRecord, 'hospital'> => {
  const hospital = answer === null ? undefined : hospitalOf(answer)
  return hospital === undefined ? {} : { hospital }
}
const problem = (code: string, message: string): EngineError => ({ code, message })
const firstNeedsNetwork = ({ message }: EngineError) =>
  problem('offline', navigator.onLine ? message : FIRST_OFFLINE)
const changedElsewhere = ({ code, message }: EngineError) =>
  problem(code, `${message} Was it changed on another device? Then use the new one.`)
const passwordChanged = () =>
  problem(
    'password_changed',
    'Your password was changed. What is on this device is still locked with the old one: type it once.',
  )
