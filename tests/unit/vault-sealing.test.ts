import { createDecipheriv, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  deriveKek,
  isProofOf,
  makeProof,
  openSecret,
  type Sealed,
  type SealedFor,
  sealSecret,
} from '@/lib/vault/seal'

const kek = deriveKek('a server secret that is long enough for this', 1)
const secret = { apiKey: 'sk-test-0123456789abcdef', baseUrl: 'https://api.openai.com/v1' }
const owner = (): SealedFor => ({ scope: 'user', ownerId: randomUUID(), id: randomUUID(), version: 1 })

const refusal = expect.objectContaining({ name: 'AppError', code: 'provider_auth' })

function opened(record: Sealed, boundTo: SealedFor, under = kek): unknown {
  try {
    return openSecret(under, boundTo, record)
  } catch (error) {
    return error
  }
}

test('whatever was sealed opens for its own record, byte for byte', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 5000 }),
      fc.webUrl(),
      fc.nat(),
      (apiKey, baseUrl, version) => {
        const boundTo = { ...owner(), version }
        const whole = { apiKey: apiKey.toWellFormed(), baseUrl }
        expect(openSecret(kek, boundTo, sealSecret(kek, boundTo, whole))).toEqual(whole)
      },
    ),
    { numRuns: 300 },
  )
})

/** `npm run test:fuzz` seals a million times. */
const sealings = Number(process.env.SEALINGS ?? 20_000)

test(`${sealings} sealings under one key use no nonce twice`, { timeout: 900_000 }, () => {
  const seen = new Set<string>()
  const boundTo = owner()
  for (let count = 0; count < sealings; count += 1) {
    for (const box of Object.values(boxesOf(sealSecret(kek, boundTo, secret)))) {
      seen.add(box.toString('latin1', 1, 13))
    }
  }
  expect(seen.size).toBe(2 * sealings)
})

test('sealings of the same thing have neither a data key nor a byte of text in common', () => {
  const boundTo = owner()
  const texts = new Set<string>()
  const dataKeys = new Set<string>()
  for (let count = 0; count < 2000; count += 1) {
    const { wrappedKey, sealed } = boxesOf(sealSecret(kek, boundTo, secret))
    const key = createDecipheriv('aes-256-gcm', kek.key, wrappedKey.subarray(1, 13))
    // Without the tag: what counts here is which key was wrapped.
    dataKeys.add(key.update(wrappedKey.subarray(29)).toString('hex'))
    texts.add(sealed.toString('hex', 29))
  }
  expect([texts.size, dataKeys.size]).toEqual([2000, 2000])
})

function boxesOf({ wrappedKey, sealed }: Sealed) {
  return { wrappedKey: Buffer.from(wrappedKey), sealed: Buffer.from(sealed) }
}

test('a record with any one bit flipped does not open', () => {
  const boundTo = owner()
  const record = sealSecret(kek, boundTo, secret)
  for (const field of ['wrappedKey', 'sealed'] as const) {
    for (let bit = 0; bit < record[field].length * 8; bit += 1) {
      const bytes = Uint8Array.from(record[field])
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(opened({ ...record, [field]: bytes }, boundTo)).toEqual(refusal)
    }
  }
})

test('a record cut short or grown by bytes does not open', () => {
  const boundTo = owner()
  const record = sealSecret(kek, boundTo, secret)
  for (const field of ['wrappedKey', 'sealed'] as const) {
    for (let length = 0; length < record[field].length; length += 1) {
      expect(opened({ ...record, [field]: record[field].slice(0, length) }, boundTo)).toEqual(refusal)
    }
    const grown = new Uint8Array(Buffer.concat([record[field], Buffer.of(0)]))
    expect(opened({ ...record, [field]: grown }, boundTo)).toEqual(refusal)
  }
})

test('a record put under another scope, owner, id or version does not open', () => {
  const boundTo = owner()
  const record = sealSecret(kek, boundTo, secret)
  const others: SealedFor[] = [
    { ...boundTo, scope: 'project' },
    { ...boundTo, scope: 'global', ownerId: null },
    { ...boundTo, ownerId: randomUUID() },
    { ...boundTo, ownerId: null },
    { ...boundTo, id: randomUUID() },
    { ...boundTo, version: 2 },
  ]
  for (const other of others) expect(opened(record, other)).toEqual(refusal)
  expect(opened(record, boundTo)).toEqual(secret)
})

test('the text of one record does not open with the data key of another of the same owner', () => {
  const boundTo = owner()
  const [one, two] = [sealSecret(kek, boundTo, secret), sealSecret(kek, boundTo, secret)]
  expect(opened({ ...one, sealed: two.sealed }, boundTo)).toEqual(refusal)
  expect(opened({ ...one, wrappedKey: two.wrappedKey }, boundTo)).toEqual(refusal)
})

test('a record does not open under another server secret, nor under another number of the same', () => {
  const boundTo = owner()
  const record = sealSecret(kek, boundTo, secret)
  expect(opened(record, boundTo, deriveKek('another server secret, as long as that', 1))).toEqual(refusal)
  const second = deriveKek('a server secret that is long enough for this', 2)
  expect(opened(record, boundTo, second)).toEqual(refusal)
  expect(opened({ ...record, kekVersion: 2 }, boundTo, second)).toEqual(refusal)
})

test('nothing of the key is told when a record does not open', () => {
  const boundTo = owner()
  const record = sealSecret(kek, boundTo, secret)
  const error = opened(record, { ...boundTo, version: 9 }) as Error
  const told = `${error.message} ${error.stack} ${String(error.cause)}`
  expect(told).not.toContain(secret.apiKey)
  expect(Buffer.from(record.sealed).includes(secret.apiKey)).toBe(false)
})

test('a key recognises its own proof and no other', () => {
  const proof = makeProof(kek)
  expect(isProofOf(kek, proof)).toBe(true)
  expect(isProofOf(deriveKek('another server secret, as long as that', 1), proof)).toBe(false)
  expect(isProofOf(kek, proof.subarray(1))).toBe(false)
  expect(isProofOf(kek, new Uint8Array())).toBe(false)
})
