import { expect, test } from 'vitest'
import { hashPassword, verifyPassword } from '../../lib/auth/password'

test('a password opens its own hash and no other, also when many are checked at once', async () => {
  const passwords = Array.from({ length: 8 }, (_, n) => `password ${n}`)
  const hashes = await Promise.all(passwords.map(hashPassword))
  expect(new Set(hashes).size).toBe(8)
  const checks = passwords.flatMap((secret, n) =>
    hashes.map(async (hash, m) => [n === m, await verifyPassword(secret, hash)] as const),
  )
  for (const [isOwn, opens] of await Promise.all(checks)) expect(opens).toBe(isOwn)
})

test('nothing opens an account that is not there', async () => {
  expect(await verifyPassword('anything', null)).toBe(false)
})

test('a hash that is damaged opens for nobody, and the next check goes on', async () => {
  const hash = await hashPassword('intact')
  const damaged = await verifyPassword('intact', hash.slice(0, 20)).catch(() => false)
  expect(damaged).toBe(false)
  expect(await verifyPassword('intact', hash)).toBe(true)
})

test('two ways of writing the same letters are the same password', async () => {
  expect(await verifyPassword('cafe\u0301 au lait', await hashPassword('caf\u00e9 au lait'))).toBe(true)
})
