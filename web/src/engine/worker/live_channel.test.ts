import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Backoff } from './backoff'
import { LiveChannel } from './live_channel'

let pokes: number
let named: (string | null)[]
let channel: LiveChannel

/** The server's channel, which tells at once where the stream ends. */
function answering(headers: Record<string, string>, status = 200) {
  const fetch = vi.fn(async () => new Response('event: head\ndata: 7\n\n', { status, headers }))
  vi.stubGlobal('fetch', fetch)
  return fetch
}

beforeEach(() => {
  vi.useFakeTimers()
  pokes = 0
  named = []
  channel = new LiveChannel(
    () => (pokes += 1),
    (hospital) => (named.push(hospital), hospital === 'here'),
    new Backoff(() => 0.999999),
  )
})

afterEach(() => {
  channel.follow(null)
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const listen = async () => {
  channel.follow({ server: 'https://s', token: 'token' })
  await vi.advanceTimersByTimeAsync(500)
}

it('pokes for what the own hospital says, and when the channel ends', async () => {
  answering({ 'holdfast-hospital': 'here' })
  await listen()
  expect([named, pokes]).toEqual([['here'], 2])
})

it.each([
  ['another hospital', { 'holdfast-hospital': 'elsewhere' }, 'elsewhere'],
  ['what is no hospital', {}, null],
] as const)('hears nothing of %s', async (_, headers, name) => {
  answering(headers)
  await listen()
  expect([named, pokes]).toEqual([[name], 0])
})

it('tells of another hospital that refuses, too', async () => {
  answering({ 'holdfast-hospital': 'elsewhere' }, 401)
  await listen()
  expect([named, pokes]).toEqual([['elsewhere'], 0])
})

it('does not ask again once it is told to be silent', async () => {
  const fetch = answering({ 'holdfast-hospital': 'elsewhere' })
  await listen()
  channel.follow(null)
  await vi.advanceTimersByTimeAsync(120_000)
  expect(fetch).toHaveBeenCalledTimes(1)
})

it('comes back to a server that has no room for it when the server says', async () => {
  const fetch = answering({ 'holdfast-hospital': 'here', 'retry-after': '60' }, 429)
  await listen()
  expect(pokes).toBe(0)
  await vi.advanceTimersByTimeAsync(85_000)
  expect(fetch).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(fetch).toHaveBeenCalledTimes(2)
})
