import { describe, expect, it } from 'vitest'
import { address, refusal } from './sign_in'

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
