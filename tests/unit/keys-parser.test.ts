import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { requireCaller } from '../../lib/auth/callers'
import { makeKeyText } from '../../lib/auth/key-text'
import { readCarried } from '../../lib/auth/token-source'
import { asAppError } from '../../lib/errors'

/* No database is started here: whoever asked it would be answered `unavailable`. */

beforeAll(() => {
  Object.assign(process.env, { AUTH_SECRET: 'a secret of this test alone, 32 bytes', RATE_LIMITS: 'off' })
})

const runs = { numRuns: 6000 }
const key = fc.noShrink(fc.constant(null).map(() => makeKeyText()))
const token = fc.stringMatching(/^eyJ[\w-]{4,20}\.[\w-]{4,20}\.[\w-]{4,20}$/)
const space = fc.stringMatching(/^[ \t]{1,4}$/)
const edge = fc.stringMatching(/^[ \t]{0,4}$/)
const scheme = fc.mixedCase(fc.constant('bearer'))

/** All that can stand in a header: every byte but those that end it. */
const byte = fc.nat(255).filter((code) => ![0, 10, 13].includes(code))
const bytes = fc.array(byte, { maxLength: 120 }).map((codes) => String.fromCharCode(...codes))
const part = fc.oneof(
  fc.constantFrom(
    'Bearer',
    'bearer',
    'Basic',
    'alc_',
    'al_session=',
    '__Host-al_session=',
    ',',
    ';',
    '=',
    '"',
  ),
  fc.constantFrom(' ', '\t', '\u00a0', '%00', '\u00ff'),
  key,
  token,
  bytes,
)
const value = fc.oneof(
  { weight: 6, arbitrary: fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')) },
  { weight: 3, arbitrary: fc.array(part, { maxLength: 8 }).map((parts) => parts.join(' ')) },
  {
    weight: 1,
    arbitrary: fc.tuple(part, fc.integer({ min: 1, max: 20_000 })).map(([one, n]) => one.repeat(n)),
  },
)
const names = ['authorization', 'x-api-key', 'cookie'] as const
type Sent = Partial<Record<(typeof names)[number], string>>

function send(headers: Sent | [string, string][]): Request {
  return new Request('http://here.example', { headers: new Headers(headers) })
}

async function codeFor(request: Request): Promise<string> {
  try {
    await requireCaller(request)
    return 'let in'
  } catch (error) {
    return asAppError(error).code
  }
}

test('whatever the headers hold, a caller is read from them or refused, and nothing breaks', async () => {
  const headers = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
  await fc.assert(
    fc.asyncProperty(headers, async (sent) => {
      const carried = readCarried(send(sent))
      expect(['session', 'key', 'nothing', 'refused']).toContain(carried.kind)
      // Only what has the form and check sum of a key is looked for in the database.
      const expected = carried.kind === 'key' ? 'unavailable' : 'unauthenticated'
      expect(await codeFor(send(sent))).toBe(expected)
    }),
    runs,
  )
})

test('a key is found in either header, whatever the case of the scheme and the spaces around', () => {
  fc.assert(
    fc.property(key, scheme, space, edge, (text, word, between, around) => {
      const expected = { kind: 'key', text }
      const bearer = around + word + between + text + around
      expect(readCarried(send({ authorization: bearer }))).toEqual(expected)
      expect(readCarried(send({ 'x-api-key': around + text + around }))).toEqual(expected)
      expect(readCarried(send({ authorization: bearer, 'x-api-key': text }))).toEqual(expected)
      expect(readCarried(send({ authorization: bearer, cookie: 'al_session=another' }))).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})

test('two that differ are nobody, in whichever headers they come; the same one twice is one', () => {
  fc.assert(
    fc.property(key, fc.oneof(key, token), (one, other) => {
      const both: [string, string][][] = [
        [
          ['authorization', `Bearer ${one}`],
          ['authorization', `Bearer ${other}`],
        ],
        [
          ['authorization', `Bearer ${other}`],
          ['x-api-key', one],
        ],
        [
          ['x-api-key', one],
          ['x-api-key', other],
        ],
      ]
      for (const headers of both) {
        expect(readCarried(send(headers)).kind).toBe('refused')
        const same = headers.map(([name, said]): [string, string] => [name, said.replace(other, one)])
        expect(readCarried(send(same))).toEqual({ kind: 'key', text: one })
      }
    }),
    { numRuns: 2000 },
  )
})

test('a key with one character changed is refused without asking the database', async () => {
  const character = fc.oneof(byte, fc.constantFrom(...[...'09AZaz'].map((one) => one.charCodeAt(0))))
  await fc.assert(
    fc.asyncProperty(key, fc.nat(), character, fc.boolean(), async (text, at, code, isBearer) => {
      const index = at % text.length
      fc.pre(text.charCodeAt(index) !== code)
      const changed = text.slice(0, index) + String.fromCharCode(code) + text.slice(index + 1)
      // At its ends, spaces are no part of a key, and what is left of it is too short.
      const sent: Sent = isBearer ? { authorization: `Bearer ${changed}` } : { 'x-api-key': changed }
      expect(await codeFor(send(sent))).toBe('unauthenticated')
    }),
    runs,
  )
})

test.each<[Sent, ReturnType<typeof readCarried>['kind']]>([
  [{}, 'nothing'],
  [{ cookie: '' }, 'nothing'],
  [{ cookie: 'other=1; al_sessions=x' }, 'nothing'],
  [{ cookie: 'al_session=token' }, 'session'],
  [{ cookie: 'al_session=; __Host-al_session=token' }, 'session'],
  [{ cookie: 'al_session=token', authorization: '' }, 'refused'],
  [{ cookie: 'al_session=token', 'x-api-key': ' ' }, 'refused'],
  [{ cookie: 'al_session=token', authorization: 'Basic dXNlcjpwYXNz' }, 'refused'],
  [{ authorization: 'Bearer' }, 'refused'],
  [{ authorization: 'Bearer token more' }, 'refused'],
  [{ authorization: 'token' }, 'refused'],
  [{ authorization: 'Bearer token' }, 'session'],
  [{ authorization: 'Bearer t\u00f6ken' }, 'refused'],
  [{ authorization: `Bearer ${'x'.repeat(2048)}` }, 'session'],
  [{ authorization: `Bearer ${'x'.repeat(2049)}` }, 'refused'],
  [{ 'x-api-key': 'token' }, 'refused'],
  [{ 'x-api-key': 'alc_' }, 'refused'],
  [{ 'x-api-key': `alc_${'0'.repeat(100_000)}` }, 'refused'],
  [{ authorization: 'Bearer token', 'x-api-key': '' }, 'session'],
])('%j is %s', (sent, kind) => {
  expect(readCarried(send(sent)).kind).toBe(kind)
})
