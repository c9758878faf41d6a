import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Client, type Peer } from './client'
import type { Row, Status } from './port'
import type { Call, FromWorker, Secret, ToWorker } from './worker/protocol'

const STATUS: Status = {
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
  users: [],
  locked: false,
}
const SECRET: Secret = { user: 'u', key: new Uint8Array(32), password: null }

class FakeWorker implements Peer {
  said: ToWorker[] = []
  ended = false
  onmessage: Peer['onmessage'] = null
  onerror: Peer['onerror'] = null
  postMessage = (message: ToWorker) => void this.said.push(message)
  terminate = () => void (this.ended = true)

  say(message: FromWorker) {
    this.onmessage?.({ data: message } as MessageEvent<FromWorker>)
  }
  calls(name: Call['name']): Call[] {
    return this.said.filter((one): one is Call => one.type === 'call' && one.name === name)
  }
  call(name: Call['name']): Call {
    const found = this.calls(name).at(-1)
    if (!found) throw new Error(`no call of ${name}`)
    return found
  }
  link() {
    this.say({ type: 'linked', status: STATUS })
  }
}

let workers: FakeWorker[]
let before: Secret | null
let client: Client

const worker = () => workers.at(-1) as FakeWorker

beforeEach(() => {
  vi.useFakeTimers()
  workers = []
  before = null
  client = new Client({
    start() {
      const one = new FakeWorker()
      workers.push(one)
      return one
    },
    visible: () => true,
    before: async () => before,
  })
})

afterEach(() => void vi.useRealTimers())

async function opened() {
  const opening = client.open()
  await vi.advanceTimersByTimeAsync(0)
  worker().link()
  await opening
}

const EDIT = { type: 'deleteRow', table: 'beds', id: 'x' } as const
const crash: FromWorker = { type: 'crashed', error: { code: 'crashed', message: 'It stopped.' } }

describe('the client', () => {
  it('answers each call with its own answer, in whatever order they come', async () => {
    await opened()
    const first = client.query('SELECT 1')
    const { id: firstId } = worker().call('query')
    const second = client.query('SELECT 2')
    const { id: secondId } = worker().call('query')
    worker().say({ type: 'answer', id: secondId, answer: '[{"a":2}]' })
    worker().say({ type: 'answer', id: firstId, answer: '[{"a":1}]' })
    expect([await first, await second]).toEqual([[{ a: 1 }], [{ a: 2 }]])
  })

  it('rejects with what the owner says', async () => {
    await opened()
    const run = client.run(EDIT)
    const error = { code: 'not_found', message: 'There is no such bed.', field: 'id' }
    worker().say({ type: 'refusal', id: worker().call('run').id, error })
    await expect(run).rejects.toEqual(error)
  })

  it('tells a newcomer the present status', async () => {
    await opened()
    const seen: Status[] = []
    const end = client.onStatus((status) => seen.push(status))
    worker().say({ type: 'status', status: { ...STATUS, waiting: 1 } })
    end()
    worker().say({ type: 'status', status: { ...STATUS, waiting: 2 } })
    expect(seen.map((status) => status.waiting)).toEqual([0, 1])
  })

  it('gives live rows to who asked, until they end it', async () => {
    await opened()
    const seen: Row[][] = []
    const end = client.live('SELECT a FROM b', [], (rows) => seen.push(rows))
    const said = worker().said.at(-1)
    if (said?.type !== 'watch') throw new Error('nothing is watched')
    worker().say({ type: 'rows', watch: said.watch, rows: '[{"a":1}]' })
    end()
    worker().say({ type: 'rows', watch: said.watch, rows: '[]' })
    expect(seen).toEqual([[{ a: 1 }]])
    expect(worker().said.at(-1)).toEqual({ type: 'unwatch', watch: said.watch })
  })

  it('says that another tab is asleep when nobody answers, and goes on when somebody does', async () => {
    const opening = client.open()
    const refused = expect(opening).rejects.toMatchObject({ code: 'locked' })
    await vi.advanceTimersByTimeAsync(5_000)
    await refused
    const again = client.open()
    worker().link()
    expect(await again).toEqual(STATUS)
    expect(workers).toHaveLength(1)
  })

  it('asks the next owner what the last one did not answer, by the same name', async () => {
    await opened()
    const run = client.run(EDIT)
    client.live('SELECT 1', [], () => undefined)
    const [first] = worker().calls('run')
    worker().link()
    const [, second] = worker().calls('run')
    expect(second).toEqual(first)
    expect(worker().said.filter((one) => one.type === 'watch')).toHaveLength(2)
    const receipt = { transactionId: 't', rows: [] }
    worker().say({ type: 'answer', id: second?.id ?? 0, answer: receipt })
    expect(await run).toEqual(receipt)
    worker().link()
    expect(worker().calls('run')).toHaveLength(2)
  })

  it('does not ask owners for ever what none of them survives', async () => {
    await opened()
    const run = client.run(EDIT)
    const refused = expect(run).rejects.toMatchObject({ code: 'crashed' })
    for (let owners = 0; owners < 5; owners += 1) worker().link()
    await refused
    expect(worker().calls('run')).toHaveLength(3)
  })

  it('takes it as done when the next owner finds nothing left to discard', async () => {
    await opened()
    const missing = { code: 'not_found', message: 'There is none.' }
    const first = client.discard('t')
    worker().link()
    worker().say({ type: 'refusal', id: worker().call('discard').id, error: missing })
    await first
    const second = client.discard('t')
    worker().say({ type: 'refusal', id: worker().call('discard').id, error: missing })
    await expect(second).rejects.toEqual(missing)
  })

  it('asks a new worker what a crashed one did not answer, and gives up when that crashes too', async () => {
    await opened()
    worker().say({ type: 'secret', secret: SECRET })
    client.live('SELECT 1', [], () => undefined)
    const query = client.query('SELECT 1')
    const refused = expect(query).rejects.toMatchObject({ code: 'crashed' })
    worker().say(crash)
    await vi.advanceTimersByTimeAsync(500)
    expect(workers).toHaveLength(2)
    expect(worker().said).toEqual([{ type: 'start', visible: true, secret: SECRET }])
    worker().link()
    expect(worker().said.map((one) => one.type)).toEqual(['start', 'call', 'watch'])
    worker().say(crash)
    await refused
    await vi.advanceTimersByTimeAsync(60_000)
    expect(workers).toHaveLength(2)
  })

  it('rejects the opening with why the worker cannot', async () => {
    const opening = client.open()
    const error = { code: 'store', message: 'This browser keeps nothing.' }
    await vi.advanceTimersByTimeAsync(0)
    worker().say({ type: 'crashed', error })
    await expect(opening).rejects.toEqual(error)
    await opened()
    expect(workers).toHaveLength(2)
  })

  it('starts with what this tab knew before it was reloaded', async () => {
    before = SECRET
    await opened()
    expect(worker().said[0]).toEqual({ type: 'start', visible: true, secret: SECRET })
  })
})
