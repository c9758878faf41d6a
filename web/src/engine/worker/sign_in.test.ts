import { afterEach, describe, expect, it, vi } from 'vitest'
import { address, askToSignIn, hospitalOf, OtherHospital, refusal } from './sign_in'

describe('a sign-in where another hospital answers', () => {
  const who = { server: 'https://s', username: 'maria', password: 'right' }
  const refused = (headers: Record<string, string>) =>
    vi.stubGlobal('fetch', async () => new Response('{}', { status: 401, headers }))
  const ask = (hospital?: string) =>
    askToSignIn({ ...who, ...(hospital ? { hospital } : {}) }, { deviceKey: '', deviceName: '' })

  afterEach(() => vi.unstubAllGlobals())

  it('is not refused by it', async () => {
    refused({ 'holdfast-hospital': 'elsewhere' })
    await expect(ask('here')).rejects.toEqual(new OtherHospital('elsewhere'))
  })

  it('is refused by the own one, by one that is not known yet, and by what names none', async () => {
    refused({ 'holdfast-hospital': 'here' })
    await expect(ask('here')).rejects.toMatchObject({ code: 'sign_in_failed' })
    await expect(ask()).rejects.toMatchObject({ code: 'sign_in_failed' })
    refused({})
    await expect(ask('here')).rejects.toMatchObject({ code: 'sign_in_failed' })
  })

  it('is told by the answer', () => {
    expect(hospitalOf('{"hospitalId":"here"}')).toBe('here')
    expect(['', '{}', '{"hospitalId":7}', 'null'].map(hospitalOf)).toEqual(Array(4).fill(undefined))
  })
})

describe('a refused sign-in', () => {
  it('says what the server said', () => {
    const said = { code: 'sign_in_failed', message: 'User name or password is wrong.' }
    expect(refusal(401, JSON.stringify(said))).toEqual(said)
  })

  it('has words of its own when something else answered', () => {
    expect(refusal(401, '<html>').code).toBe('sign_in_failed')
    expect(refusal(502, 'Bad gateway').code).toBe('offline')
    expect(refusal(404, '{"error":1}')).toMatchObject({ code: 'server', message: /HTTP 404/ as unknown })
  })
})

describe('a server’s address', () => {
  it('loses what does not belong to it', () => {
    expect(address('https://hospital.example/holdfast/?a=b#/board')).toBe('https://hospital.example/holdfast')
    expect(address('http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080')
  })

  it('must be one', () => {
    for (const text of ['', 'hospital', 'ftp://hospital.example']) {
      expect(() => address(text)).toThrow(expect.objectContaining({ code: 'invalid', field: 'server' }))
    }
  })
})
