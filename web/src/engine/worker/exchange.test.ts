import { afterEach, expect, it, vi } from 'vitest'
import { exchange } from './exchange'

const REQUEST = { method: 'GET', path: '/v1/session', body: new Uint8Array(), needsToken: false }
const still = new AbortController().signal

/** Answers every request so; returns what was asked. */
function answering(response: () => Response) {
  const fetch = vi.fn<(url: string, request: RequestInit) => Promise<Response>>(async () => response())
  vi.stubGlobal('fetch', fetch)
  return fetch
}

afterEach(() => vi.unstubAllGlobals())

it('tells which hospital answered, with an error too', async () => {
  answering(() => new Response('{}', { status: 401, headers: { 'holdfast-hospital': 'here' } }))
  const { status, hospital } = await exchange('https://s', REQUEST, null, still)
  expect([status, hospital]).toEqual([401, 'here'])
})

it.each([
  ['5', 5_000],
  ['0', 0],
  [null, 0],
  ['-3', 0],
  ['99999999', 60_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
])('reads a Retry-After of %s', async (header, milliseconds) => {
  answering(
    () => new Response('', { status: 429, headers: header === null ? {} : { 'retry-after': header } }),
  )
  expect((await exchange('https://s', REQUEST, null, still)).retryAfter).toBe(milliseconds)
})

it('tells when what answered is no hospital', async () => {
  answering(() => new Response('<html>Welcome to the guest network</html>'))
  expect((await exchange('https://s', REQUEST, 'token', still)).hospital).toBeNull()
})

it('gives the token only where there is one to give', async () => {
  const fetch = answering(() => new Response())
  await exchange('https://s', REQUEST, null, still)
  await exchange('https://s', REQUEST, 'secret', still)
  expect(fetch.mock.calls.map(([, request]) => request.headers)).toEqual([
    {},
    { Authorization: 'Bearer secret' },
  ])
})

it('asks before its caller goes on to anything else', async () => {
  const fetch = answering(() => new Response())
  const answer = exchange('https://s', REQUEST, 'token', still)
  expect(fetch).toHaveBeenCalledOnce()
  await answer
})
