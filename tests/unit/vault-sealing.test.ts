import { randomUUID } from 'node:crypto'
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

test('10,000 sealings of one key use no nonce, data key or box twice', () => {
  const seen = new Set<string>()
  const boundTo = owner()
  for (let count = 0; count < 10_000; count += 1) {
    const { wrappedKey, sealed } = sealSecret(kek, boundTo, secret)
    seen.add(Buffer.from(wrappedKey.subarray(1, 13)).toString('hex'))
    seen.add(Buffer.from(sealed.subarray(1, 13)).toString('hex'))
    seen.add(Buffer.from(wrappedKey.subarray(29)).toString('hex'))
    seen.add(Buffer.from(sealed).toString('hex'))
  }
  expect(seen.size).toBe(40_000)
})

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
