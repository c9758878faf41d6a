/**
 * What the owner of the data does for all tabs: opens and closes the stores of the people who use this device, and works on
 * the open one.
 *
 * *Invariants:* at most one store is open. A store is never removed unless its person said so, knowing what is lost. The
 * key is told to every tab before anything is done under it, and taken back before the store is closed.
 */
import { asEngineError } from '../error'
import type { EngineError, Session, SignInRequest, Status } from '../port'
import { isCrash } from './crash'
import type { Keyring, KeyRecord } from './keyring'
import { findRecord } from './keyring'
import { People } from './people'
import type { Handlers, Question, Secret } from './protocol'
import type { Replica, ReplicaStatus } from './replica'
import { address, hospitalOf, OtherHospital, tellSignedOut } from './sign_in'
import type { Stores } from './stores'
import { openWorkplace, type Workplace } from './workplace'

/** All tabs, as the owner sees them. */
export interface Audience {
  status(status: Status): void
  secret(secret: Secret | null): void
  rows(watch: number, rows: string): void
  failed(watch: number, error: EngineError): void
  /** The engine is no longer usable. */
  broken(error: unknown): void
}

const NOBODY: ReplicaStatus = {
  session: null,
  connection: 'offline',
  waiting: 0,
  held: 0,
  atHub: 0,
  hub: null,
  rejected: 0,
  conflicts: 0,
  renewing: false,
  differences: 0,
  unfolded: 0,
  lastInStep: null,
  firstSync: null,
  problem: null,
}

const notOpened = (name: string, why: string) =>
  `${name}'s data on this device could not be opened: ${why} Nothing of it was deleted. Sign in to try again, and if that ` +
  "fails too, ask your IT before this browser's data is cleared: what was not sent yet is only there."

interface Open {
  record: KeyRecord
  secret: Secret
  work: Workplace
}

export class Service {
  #open: Open | null = null
  #locked = false
  /** Why nobody is signed in, if somebody should be. */
  #failure: string | null = null
  #records: KeyRecord[] = []
  #turn: Promise<unknown> = Promise.resolve()
  #busy = 0
  readonly #watches = new Map<number, Question>()
  readonly #people: People

  constructor(
    private readonly stores: Stores,
    private readonly keyring: Keyring,
    private readonly audience: Audience,
  ) {
    this.#people = new People(stores, keyring)
  }

  /** Goes on where another tab left off: with its secret, or with nobody signed in. */
  async begin(secret: Secret | null): Promise<void> {
    this.#records = await this.keyring.all()
    const record = this.#records.find((one) => one.id === secret?.user)
    if (!secret || !record) return
    try {
      this.#work(record, secret, await this.#people.open(record, secret.key))
    } catch (error) {
      const { code, message } = asEngineError(error)
      if (isCrash(error) || code === 'locked') throw error
      // Other people's stores may be whole: the sign-in screen comes, and says what is wrong with this one.
      console.error(error)
      this.#failure = notOpened(record.displayName, message)
    }
  }

  /** Something is under way that must not be cut off. */
  get busy(): boolean {
    return this.#busy > 0
  }

  get secret(): Secret | null {
    return this.#open?.secret ?? null
  }

  status(): Status {
    return this.#whole(this.#open?.work.replica.status() ?? { ...NOBODY, problem: this.#failure })
  }

  readonly handlers: Handlers = {
    signIn: (request) => this.#inTurn(() => this.#signIn(request)),
    signOut: () => this.#inTurn(() => this.#leave({ locked: false })),
    lock: () => this.#inTurn(() => this.#leave({ locked: true })),
    query: (question) => this.#replica().query(question),
    run: (order) => {
      const { receipt, tables } = this.#replica().run(order)
      this.#open?.work.commandDone(tables)
      return receipt
    },
    conflicts: () => this.#replica().conflicts(),
    outbox: () => this.#replica().outbox(),
    durability: (transactionId) => this.#replica().durability(transactionId),
    discard: (transactionId) => {
      this.#replica().discard(transactionId)
      this.#open?.work.moved()
      return null
    },
  }

  watch(watch: number, question: Question): void {
    this.#watches.set(watch, question)
    this.#open?.work.watch(watch, question)
  }

  unwatch(watch: number): void {
    this.#watches.delete(watch)
    this.#open?.work.unwatch(watch)
  }

  wake(): void {
    this.#open?.work.wake()
  }

  networkLost(): void {
    this.#open?.work.networkLost()
  }

  /** Closes all, so that another tab can go on. */
  async close(): Promise<void> {
    await this.#turn.catch(() => undefined)
    this.#open?.work.close()
    this.#open = null
    await this.stores.release()
  }

  /** One after the other: each changes what is open. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    this.#busy += 1
    const mine = this.#turn.catch(() => undefined).then(act)
    this.#turn = mine
    return mine.finally(() => (this.#busy -= 1))
  }

  #replica(): Replica {
    if (this.#open) return this.#open.work.replica
    throw { code: 'signed_out', message: 'Nobody is signed in on this device. Sign in first.' }
  }

  async #signIn(request: SignInRequest): Promise<Session> {
    const server = address(request.server)
    const there = findRecord(this.#records, server, request.username)
    // Somebody else is signed in yet: their data is closed first.
    if (this.#open && this.#open.record.id !== there?.id) await this.#leave({ locked: false })
    const opened = await this.#people.signIn({ ...request, server }, there, this.#open).finally(async () => {
      this.#records = await this.keyring.all()
    })
    const { record, secret, replica, session } = opened
    const before = this.#open
    if (before) {
      this.#open = { ...before, record, secret }
      this.audience.secret(secret)
      before.work.sessionChanged()
    } else {
      this.audience.secret(secret)
      this.#work(record, secret, replica)
    }
    this.#tell()
    return session
  }

  async #leave({ locked }: { locked: boolean }): Promise<null> {
    const open = this.#open
    if (!open) return null
    const { replica } = open.work
    const { session, waiting, connection } = replica.status()
    const token = replica.token()
    if (!locked) {
      replica.signOut()
      const known = session && token !== undefined && connection !== 'otherHospital'
      if (known) tellSignedOut(session.server, token)
    }
    this.audience.secret(null)
    this.#open = null
    this.#locked = locked
    open.work.close()
    await this.#count(open.record, waiting)
    this.#tell()
    return null
  }

  #work(record: KeyRecord, secret: Secret, replica: Replica): void {
    const work = openWorkplace(replica, {
      status: (status) => {
        this.audience.status(this.#whole(status))
        void this.#count(record, status.waiting)
      },
      rows: this.audience.rows,
      failed: this.audience.failed,
      introduce: () => this.#introduce(),
      broken: this.audience.broken,
    })
    this.#open = { record, secret, work }
    this.#locked = false
    this.#failure = null
    for (const [watch, question] of this.#watches) work.watch(watch, question)
    if (navigator.onLine) work.wake()
    else work.networkLost()
  }

  /** Whoever signed in without a network is made known to the server now. */
  async #introduce(): Promise<void> {
    const open = this.#open
    const password = open?.secret.password
    if (!open || !password) return
    const { record, work } = open
    try {
      const answer = await this.#people.ask(record, password)
      if (this.#open?.work !== work) return
      const took = hospitalOf(answer)
      // Nobody asked to move to another hospital: that takes a person's own sign-in.
      if (record.hospital !== undefined && took !== undefined && took !== record.hospital)
        throw new OtherHospital(took)
      work.replica.beginSession(answer, record.server)
    } catch (thrown) {
      if (isCrash(thrown)) throw thrown
      const { code, message } = asEngineError(thrown)
      if (this.#open?.work !== work) return
      if (thrown instanceof OtherHospital) return void work.replica.recognises(thrown.hospital)
      if (code === 'offline') return work.replica.takeFailure(message)
      // The server says no: the replica asks for a new sign-in.
    }
    this.#open.secret = { ...open.secret, password: null }
    this.audience.secret(this.#open.secret)
  }

  /** Keeps the count that the sign-in screen shows. */
  async #count(record: KeyRecord, waiting: number): Promise<void> {
    if (record.waiting === waiting) return
    record.waiting = waiting
    for (const one of this.#records) if (one.id === record.id) one.waiting = waiting
    await this.keyring.change(record.id, { waiting })
  }

  #tell(): void {
    this.audience.status(this.status())
  }

  #whole(status: ReplicaStatus): Status {
    const users = this.#records.map(({ server, username, displayName, waiting }) => ({
      server,
      username,
      displayName,
      waiting,
    }))
    return { ...status, users, locked: this.#locked && !status.session }
  }
}
