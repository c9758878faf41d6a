import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Client, type Peer } from './client'
import type { Row, Status } from './port'
import type { Call, FromWorker, ToWorker } from './worker/protocol'

const STATUS: Status = {
  session: null,
  connection: 'offline',
  waiting: 0,
  rejected: 0,
  conflicts: 0,
  lastInStep: null,
  firstSync: null,
  problem: null,
}

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
  call(name: Call['name']): Call {
    const found = this.said.findLast((one): one is Call => one.type === 'call' && one.name === name)
    if (!found) throw new Error(`no call of ${name}`)
    return found
  }
  answerOpen() {
    this.say({ type: 'answer', id: this.call('open').id, answer: STATUS })
  }
}

let workers: FakeWorker[]
let client: Client

const worker = () => workers.at(-1) as FakeWorker

beforeEach(() => {
  workers = []
  client = new Client(() => {
    const one = new FakeWorker()
    workers.push(one)
    return one
  })
})

async function opened() {
  const opening = client.open()
  worker().answerOpen()
  await opening
}

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

  it('rejects with what the worker says', async () => {
    await opened()
    const run = client.run({ type: 'deleteRow', table: 'beds', id: 'x' })
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

  it('starts another worker after one that could not open', async () => {
    const opening = client.open()
    const error = { code: 'locked', message: 'Holdfast is open in another tab.' }
    worker().say({ type: 'refusal', id: worker().call('open').id, error })
    await expect(opening).rejects.toEqual(error)
    expect(worker().ended).toBe(true)
    await opened()
    expect(workers).toHaveLength(2)
  })

  it('rejects what waits when the worker crashes, and starts another that is asked the same questions', async () => {
    vi.useFakeTimers()
    await opened()
    client.live('SELECT 1', [], () => undefined)
    const query = client.query('SELECT 1')
    worker().say({ type: 'crashed', error: { code: 'crashed', message: 'It stopped.' } })
    await expect(query).rejects.toMatchObject({ code: 'crashed' })
    await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: 'crashed' })
    vi.advanceTimersByTime(500)
    expect(workers).toHaveLength(2)
    expect(worker().said.map((one) => one.type)).toEqual(['call', 'watch'])
    worker().answerOpen()
    worker().say({ type: 'crashed', error: { code: 'crashed', message: 'It stopped.' } })
    vi.advanceTimersByTime(60_000)
    expect(workers).toHaveLength(2)
    vi.useRealTimers()
  })
})
