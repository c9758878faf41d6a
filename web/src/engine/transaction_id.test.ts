import { expect, test } from 'vitest'
import { newTransactionId } from './transaction_id'

test('a name is a UUID v7 of its time', () => {
  expect(newTransactionId(0x0123_4567_89ab)).toMatch(
    /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
})

test('no two are the same', () => {
  const names = Array.from({ length: 1_000 }, () => newTransactionId(0))
  expect(new Set(names).size).toBe(1_000)
})
