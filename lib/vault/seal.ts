import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AppError } from '../errors'

/*
 * A box is: format (1 byte), nonce (12), tag (16), ciphertext. Each credential has two: its text under a data key
 * of its own, and that data key under the key-encryption key. Both are bound to whose record they are in.
 */

const format = 1
const nonceBytes = 12
const tagBytes = 16
const keyBytes = 32
const headBytes = 1 + nonceBytes + tagBytes

/** A key-encryption key and its number. */
export type Kek = { version: number; key: Buffer }

/** What a sealed record is bound to; in any other row it does not open. */
export type SealedFor = { scope: string; ownerId: string | null; id: string; version: number }

/** What lies in a sealed record: the key, and the only address that it may be sent to. */
export type Secret = { apiKey: string; baseUrl: string }

export type Sealed = {
  kekVersion: number
  wrappedKey: Uint8Array<ArrayBuffer>
  sealed: Uint8Array<ArrayBuffer>
}

/** The key-encryption key of this number, by HKDF-SHA256 (RFC 5869) from the server's secret. */
export function deriveKek(secret: string, version: number): Kek {
  const key = hkdfSync('sha256', secret, 'al-chat vault', `key-encryption key ${version}`, keyBytes)
  return { version, key: Buffer.from(key) }
}

/** The key under which key-encryption keys are kept, from the server's secret as above; it seals nothing else. */
export function deriveRootKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'al-chat vault', 'root key of the later keys', keyBytes))
}

/** A key-encryption key out of nothing: nobody can derive it again once what it is kept in is gone. */
export function createKek(version: number): Kek {
  return { version, key: randomBytes(keyBytes) }
}

/** A key-encryption key as it is kept, bound to its number. */
export function wrapKek(root: Buffer, kek: Kek): Uint8Array<ArrayBuffer> {
  return lock(root, kek.key, rootContext(kek.version))
}

/** A key-encryption key from what it is kept in. Throws, without anything secret, if it is not as it was put there. */
export function unwrapKek(root: Buffer, version: number, wrapped: Uint8Array): Kek {
  return { version, key: unlock(root, wrapped, rootContext(version)) }
}

/** Seals a secret under a new data key, for this record alone. */
export function sealSecret(kek: Kek, owner: SealedFor, secret: Secret): Sealed {
  const dataKey = randomBytes(keyBytes)
  try {
    return {
      kekVersion: kek.version,
      wrappedKey: lock(kek.key, dataKey, keyContext(kek, owner)),
      sealed: lock(dataKey, Buffer.from(JSON.stringify(secret)), context('text', owner)),
    }
  } finally {
    dataKey.fill(0)
  }
}

/** Opens a record. Throws provider_auth if anything about it is not as it was sealed. */
export function openSecret(kek: Kek, owner: SealedFor, record: Sealed): Secret {
  try {
    if (record.kekVersion !== kek.version) throw new Error(`sealed under key ${record.kekVersion}`)
    const dataKey = unlock(kek.key, record.wrappedKey, keyContext(kek, owner))
    const text = unlock(dataKey, record.sealed, context('text', owner)).toString()
    dataKey.fill(0)
    return JSON.parse(text) as Secret
  } catch (cause) {
    const message =
      'A key in the vault cannot be opened: its record was changed. Delete it there and add the key again.'
    throw new AppError('provider_auth', message, { cause, facts: { remedy: 'vault' } })
  }
}

/** A known text under a key-encryption key, by which the key is recognised at the next start. */
export function makeProof(kek: Kek): Uint8Array<ArrayBuffer> {
  return lock(kek.key, Buffer.from('al-chat vault'), proofContext(kek))
}

/** Whether this key made the proof. */
export function isProofOf(kek: Kek, proof: Uint8Array): boolean {
  try {
    return unlock(kek.key, proof, proofContext(kek)).toString() === 'al-chat vault'
  } catch {
    return false
  }
}

// JSON of a list is written in one way only, so no two records share a context.
function context(part: string, { scope, ownerId, id, version }: SealedFor): Buffer {
  return Buffer.from(JSON.stringify(['al-chat credential', part, scope, ownerId, id, version]))
}

function keyContext(kek: Kek, owner: SealedFor): Buffer {
  return context(`data key under ${kek.version}`, owner)
}

function rootContext(version: number): Buffer {
  return Buffer.from(JSON.stringify(['al-chat vault key', version]))
}

function proofContext(kek: Kek): Buffer {
  return Buffer.from(JSON.stringify(['al-chat vault proof', kek.version]))
}

function lock(key: Buffer, plain: Buffer, bound: Buffer): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(bound)
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(format), nonce, cipher.getAuthTag(), body])
}

function unlock(key: Buffer, box: Uint8Array, bound: Buffer): Buffer {
  if (box.length < headBytes || box[0] !== format) throw new Error('not a box of this format')
  const nonce = box.subarray(1, 1 + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(bound).setAuthTag(box.subarray(1 + nonceBytes, headBytes))
  return Buffer.concat([decipher.update(box.subarray(headBytes)), decipher.final()])
}
