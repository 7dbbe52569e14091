import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openLog } from '../../lib/log'
import { redact } from '../../lib/log/redact'

const canary = 'sk-canary-0123456789abcdefghijklmnop'

/** What a log at its most talkative says. */
function hear(say: (log: ReturnType<typeof openLog>) => void, level = 'trace'): string {
  const said: string[] = []
  say(openLog(level, { write: (text: string) => void said.push(text) }))
  return said.join('')
}

const secretNames = [
  'authorization',
  'Authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api_key',
  'apiKey',
  'password',
  'passwordHash',
  'token',
  'access_token',
  'METRICS_TOKEN',
  'client_secret',
  'credentials',
  'key',
]

test.each(secretNames)('what is called %s is not logged, however deep it lies', (name) => {
  const value = 'an innocent looking value 1234'
  const said = hear((log) => {
    log.trace({ [name]: value }, 'a')
    log.debug({ request: { headers: { [name]: [value] } } }, 'b')
    log.info({ list: [{ deep: { [name]: { inner: value } } }] }, 'c')
    const error = Object.assign(new Error('failed'), { config: { headers: { [name]: value } } })
    log.error({ err: error }, 'd')
    log.error({ err: Object.assign(new Error('outer', { cause: error }), { [name]: value }) }, 'e')
    log.child({ part: 'x' }).warn({ [name]: value }, 'f')
  })
  expect(said).not.toContain(value)
  expect(said.trim().split('\n')).toHaveLength(6)
})

test.each([
  ['a key', canary],
  ['one of ours', `alc_${'a'.repeat(52)}`],
  ['a session', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLWEtdG9rZW4'],
  ['a header', 'Bearer abcdefgh12345678'],
  ['a password in an address', 'postgres://al:correct-horse-battery@db.example.com:5432/al'],
])('%s is not logged in a text either: a message, a field, an error and its stack', (_, text) => {
  const secret = /correct-horse-battery/.exec(text)?.[0] ?? text.replace(/^Bearer /, '')
  const said = hear((log) => {
    log.trace(`it was ${text}, sadly`)
    log.debug({ detail: `it was ${text}` }, 'a')
    log.info({ list: [text] }, `and ${text}`)
    log.error({ err: new Error(`refused: ${text}`) }, 'b')
    log.error({ err: new Error('outer', { cause: new Error(`refused: ${text}`) }) }, 'c')
    log.error(new Error(`alone: ${text}`))
    log.error({ err: new Error(`alone: ${text}`) })
    log.info('format %s', text)
  })
  expect(said).not.toContain(secret)
  expect(said.trim().split('\n')).toHaveLength(8)
})

test('what is no secret stays: ids, counts, times, and where an error came from', () => {
  const [line] = hear((log) =>
    log.info(
      {
        requestId: 'request-0123',
        keyId: '018f0000-0000-7000-8000-000000000001',
        credentialId: '018f0000-0000-7000-8000-000000000002',
        inputTokens: 5,
        firstTokenMs: 7,
        at: new Date(0),
        err: new RangeError('too far'),
      },
      'answered',
    ),
  ).split('\n')
  const { time, ...rest } = JSON.parse(line ?? '')
  expect(time).toMatch(/^20\d\d-/)
  expect(rest).toMatchObject({
    level: 'info',
    msg: 'answered',
    requestId: 'request-0123',
    keyId: '018f0000-0000-7000-8000-000000000001',
    credentialId: '018f0000-0000-7000-8000-000000000002',
    inputTokens: 5,
    firstTokenMs: 7,
    at: '1970-01-01T00:00:00.000Z',
    err: { type: 'RangeError', message: 'too far' },
  })
  expect(rest.err.stack).toContain('log-secrets.test.ts')
})

test('the level is honoured', () => {
  const talk = (level: string) =>
    hear((log) => {
      for (const each of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[each]('x')
    }, level)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).level)
  expect(talk('trace')).toHaveLength(6)
  expect(talk('info')).toEqual(['info', 'warn', 'error', 'fatal'])
  expect(talk('silent')).toEqual([])
})

test('whatever is logged, each record is one line of JSON, bounded, and without the secret', () => {
  const deep = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(canary, `x ${canary} y`, '\n', '\u2028', null, 1, true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'token', 'headers', 'Cookie', 'b c'), tie('value')),
    ),
  })).value
  fc.assert(
    fc.property(deep, (value) => {
      const said = hear((log) => log.info({ value }, `said ${canary}`))
      expect(said).not.toContain(canary)
      expect(said.trimEnd().split('\n')).toHaveLength(1)
      expect(() => JSON.parse(said)).not.toThrow()
    }),
  )
})

test('what goes round in circles or is huge is cut', () => {
  const circle: Record<string, unknown> = { a: 1 }
  circle.self = circle
  const said = hear((log) =>
    log.info({ circle, list: new Array(10_000).fill(0), bytes: new Uint8Array(1e6) }, 'x'),
  )
  expect(said.length).toBeLessThan(3000)
  expect(redact(Buffer.from(canary))).toBe(`[${canary.length} bytes]`)
})
