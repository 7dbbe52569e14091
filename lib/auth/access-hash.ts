import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Scope } from '../contracts/keys'
import { env, serverSecret } from '../env'

/** The account for which callers with the server's ACCESS_KEY act. No address that somebody could register is like it. */
export const serviceEmail = 'access-key@localhost'

/** What they may do. */
export const accessScopes: readonly Scope[] = ['chat', 'gateway']

/**
 * An access key as it is compared and kept: keyed, since people choose such keys themselves, and whoever reads the
 * database should not be able to try them out.
 */
export function hashAccessKey(key: string): Buffer<ArrayBuffer> {
  const hmac = createHmac('sha256', serverSecret('AUTH_SECRET'))
  return Buffer.from(hmac.update('al-chat access key\0').update(key).digest())
}

/** Whether this is the hash of the ACCESS_KEY that the server has now, in constant time. */
export function isAccessHash(hash: Uint8Array): boolean {
  const { ACCESS_KEY } = env()
  if (ACCESS_KEY === undefined) return false
  const expected = hashAccessKey(ACCESS_KEY)
  return hash.byteLength === expected.byteLength && timingSafeEqual(hash, expected)
}
