import { describe, expect, it } from 'vitest'
import { newKey, unwrap, wrap } from './wrapping'

describe('a wrapped key', () => {
  it('comes back with the password, and with no other', async () => {
    const key = newKey()
    const wrapped = await wrap(key, 'Ångström', 1_000)
    expect(await unwrap(wrapped, 'A\u030angstro\u0308m')).toEqual(key)
    expect(await unwrap(wrapped, 'Ångström ')).toBeNull()
  })

  it('does not come back when it was changed', async () => {
    const wrapped = await wrap(newKey(), 'demo', 1_000)
    wrapped.key[3] = (wrapped.key[3] ?? 0) ^ 1
    expect(await unwrap(wrapped, 'demo')).toBeNull()
  })

  it('looks different each time', async () => {
    const key = newKey()
    const [one, other] = [await wrap(key, 'demo', 1_000), await wrap(key, 'demo', 1_000)]
    expect(one.key).not.toEqual(other.key)
    expect(one.salt).not.toEqual(other.salt)
  })
})
