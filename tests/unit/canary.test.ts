import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLawful } from '../support/canary/lawful'
import { secretsOfAnswer, secretsOfBody, secretsOfCookie } from '../support/canary/learning'
import { Searcher, type Secret, StreamSearch } from '../support/canary/searcher'

const key: Secret = { kind: 'provider-key', value: 'sk-test-Zq9/+~"<&\'é 77' }

const entities: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#x27' }

/** Each way in which the watch must know a secret again. */
const forms: [string, (secret: string) => string][] = [
  ['clear', (secret) => secret],
  ['base64', (secret) => Buffer.from(secret).toString('base64')],
  ['base64 after one byte', (secret) => Buffer.from(`:${secret}:`).toString('base64')],
  ['base64 after two bytes', (secret) => Buffer.from(`ab${secret}`).toString('base64')],
  ['url-safe base64', (secret) => Buffer.from(`${secret}???`).toString('base64url')],
  ['base64 in a URL', (secret) => encodeURIComponent(Buffer.from(secret).toString('base64'))],
  ['hex', (secret) => Buffer.from(secret).toString('hex')],
  ['upper-case hex', (secret) => Buffer.from(secret).toString('hex').toUpperCase()],
  ['URL', encodeURIComponent],
  ['form', (secret) => new URLSearchParams({ secret }).toString()],
  ['JSON', (secret) => JSON.stringify({ message: `it was ${secret}` })],
  ['JSON in JSON', (secret) => JSON.stringify(JSON.stringify({ secret }))],
  ['HTML', (secret) => secret.replace(/[&<>"']/g, (letter) => `&${entities[letter]};`)],
]

describe.each(forms)('a secret in %s', (_, write) => {
  test('is found, whatever it is, whatever is around it, wherever the stream is cut', () => {
    const secrets = fc.string({ unit: 'grapheme-ascii', minLength: 10, maxLength: 120 })
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), fc.array(fc.nat(300)), (value, before, after, cuts) => {
        const text = Buffer.from(`${before}${write(value)}${after}`)
        expect(findInPieces([{ kind: 'password', value }], text, cuts)).toEqual([value])
      }),
      { numRuns: 150 },
    )
  })

  test('is found among a thousand others', () => {
    const others = Array.from(
      { length: 1000 },
      (_, n): Secret => ({ kind: 'token', value: `other-secret-${n * 7919}` }),
    )
    const text = Buffer.from(`${'lorem ipsum '.repeat(500)}${write(key.value)}${' dolor'.repeat(500)}`)
    expect(findInPieces([...others, key], text, [4096, 6010])).toEqual([key.value])
  })
})

function findInPieces(secrets: Secret[], bytes: Buffer, cuts: number[]): string[] {
  const search = new StreamSearch(new Searcher(secrets))
  const found: string[] = []
  const borders = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  for (const [index, start] of borders.entries())
    for (const { secret } of search.push(bytes.subarray(start, borders[index + 1]))) found.push(secret.value)
  return found
}

test('nothing is found where nothing is', () => {
  const letters = fc.string({ maxLength: 2000, unit: fc.constantFrom('s', 'k', '-', 't', 'e', 'Z', 'q') })
  fc.assert(
    fc.property(letters, (text) => {
      expect(new Searcher([key]).find(Buffer.from(text))).toEqual([])
    }),
  )
})

test('a part of a long secret is found, also from its middle; its last four characters are none', () => {
  const value = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_abcd'
  const searcher = new Searcher([{ kind: 'provider-key', value }])
  for (let start = 0; start + 47 <= value.length; start++)
    expect(searcher.find(Buffer.from(`… ${value.slice(start, start + 47)} …`)), `from ${start}`).toHaveLength(
      1,
    )
  expect(searcher.find(Buffer.from('sk-…abcd'))).toEqual([])
})

test('what is told of a finding does not hold the secret', () => {
  const [found] = new Searcher([key]).find(Buffer.from(`{"a":"${key.value}","b":"${key.value}"}`))
  expect(found?.around).toContain('[provider-key]')
  expect(found?.around).not.toContain('sk-test')
})

test('a secret that is learned in the middle of a stream is found from then on', () => {
  const searcher = new Searcher()
  const search = new StreamSearch(searcher)
  expect(search.push(Buffer.from(key.value))).toEqual([])
  searcher.add(key)
  expect(search.push(Buffer.from(key.value))).toHaveLength(1)
})

test.each([
  ['JSON', '{"credentials":{"api_key":"sk-test-0123456789"}}', ['sk-test-0123456789']],
  ['JSON that is cut off', '{"credentials":{"api_key":"sk-test-01234', ['sk-test-01234']],
  ['JSON with escapes', '{"password":"a\\"b\\u00e9cdefghij"}', ['a"bécdefghij']],
  ['a form', 'email=a%40b.c&password=correct+horse%21', ['correct horse!']],
  [
    'a form in parts',
    '--x\r\nContent-Disposition: form-data; name="1_password"\r\n\r\ncorrect horse\r\n--x--',
    ['correct horse'],
  ],
  ['a password that is too short to be one', '{"password":"short"}', []],
])('secrets are learned from %s', (_, body, values) => {
  expect(secretsOfBody('/api/x', Buffer.from(body)).map(({ value }) => value)).toEqual(values)
})

test('a token is learned where it is given; only its signature is looked for', () => {
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ'
  const signature = { kind: 'token', value: 'c2lnbmF0dXJlLXNpZ25hdHVyZQ' }
  expect(secretsOfAnswer(JSON.stringify({ user: {}, token }))).toEqual([signature])
  expect(secretsOfCookie(`set-cookie: al_session=${token}; Path=/`)).toEqual([signature])
  expect(secretsOfAnswer('{"key":"alc_0123456789"}')).toEqual([{ kind: 'api-key', value: 'alc_0123456789' }])
})

test('a secret is lawful in its own place only', () => {
  const place = { method: 'GET', path: '/api/credentials', status: 200, part: 'body', byKey: true }
  expect(isLawful('provider-key', place)).toBe(true)
  expect(isLawful('provider-key', { ...place, byKey: false })).toBe(false)
  expect(isLawful('provider-key', { ...place, part: 'x-debug' })).toBe(false)
  expect(isLawful('provider-key', { ...place, method: 'POST' })).toBe(false)
  expect(isLawful('provider-key', { ...place, status: 404 })).toBe(false)
  expect(isLawful('password', place)).toBe(false)
})
