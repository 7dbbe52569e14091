import { expect, test } from 'vitest'
import { AppError } from '@/lib/errors'
import { estimateInput } from '@/lib/gateway/input-guess'
import { type Line, readUse, wasSent } from '@/lib/gateway/ledger'
import { StreamMeter } from '@/lib/gateway/meter'
import type { Question } from '@/lib/gateway/question'
import { withUnseen } from '@/lib/usage/unseen'

const ask = (more: Partial<Question>) =>
  estimateInput({ path: '/responses', bytes: Buffer.alloc(400), body: {}, ...more } as Question)

test('a call is estimated with the conversation that is sent along with it', () => {
  expect(ask({})).toBe(100)
  expect(ask({ earlier: [] })).toBe(100)
  const earlier = [{ role: 'user', content: 'x'.repeat(4000) }]
  expect(ask({ earlier })).toBe(100 + Math.ceil(JSON.stringify(earlier).length / 4))
})

test('moderations cost nothing', () => {
  expect(ask({ path: '/moderations' })).toBe(0)
})

const lineOf = (more: object = {}, path = '/chat/completions') =>
  ({
    question: { path, bytes: Buffer.alloc(400), body: {} },
    status: 200,
    cache: null,
    reservation: null,
    ...more,
  }) as unknown as Line

function meterOf(text: string): StreamMeter {
  const meter = new StreamMeter()
  meter.chunk(Buffer.from(text))
  return meter
}

const begun = { input_tokens: 25, output_tokens: 1, total_tokens: 26, cached_tokens: 20 }

test('what a message tells at its beginning is no end of what was said', () => {
  const meter = meterOf('data: {}\n\n'.repeat(7))
  meter.tell(begun, { isFinal: false })
  const use = { inputTokens: 25, cachedTokens: 20, estimated: true }
  expect(readUse(lineOf(), meter, 'left')).toMatchObject({ ...use, outputTokens: 7 })
  meter.tell({ ...begun, output_tokens: 9 }, { isFinal: false })
  expect(readUse(lineOf(), meter, 'left')).toMatchObject({ ...use, outputTokens: 9 })
  meter.tell({ ...begun, output_tokens: 5 }, { isFinal: true })
  expect(readUse(lineOf(), meter, 'left')).toMatchObject({ outputTokens: 5, estimated: false })
})

test('an answer without a use is estimated by its text; what is no text is not', () => {
  const meter = meterOf(JSON.stringify({ data: 'x'.repeat(100_000) }))
  expect(readUse(lineOf(), meter, 'whole').outputTokens).toBeGreaterThan(24_000)
  for (const path of ['/embeddings', '/moderations', '/images/generations'])
    expect([path, readUse(lineOf({}, path), meter, 'whole').outputTokens]).toEqual([path, 0])
})

test('a call that was sent and not answered in time is paid for, as far as is known', () => {
  const unanswered = (more: object) => readUse(lineOf({ status: null, ...more }), new StreamMeter(), 'broken')
  expect(unanswered({ isSent: true })).toMatchObject({
    inputTokens: 100,
    outputTokens: 0,
    estimated: true,
    outcome: 'failed',
  })
  expect(unanswered({ isSent: false })).toMatchObject({ inputTokens: 0, estimated: false })
  expect(unanswered({})).toMatchObject({ inputTokens: 0, estimated: false })
})

test.each([
  ['first_byte_timeout', true],
  ['total_timeout', true],
  ['connect_timeout', false],
  [undefined, false],
])('whether a call was sent that failed with %s', (code, isSent) => {
  const error = new AppError('provider_timeout', 'Too slow.', { facts: code ? { code } : {} })
  expect(wasSent(error)).toBe(isSent)
})

test('what nobody has seen is reckoned by the time that nothing came, within what was set aside', () => {
  expect(withUnseen(10, 0, null)).toBe(10)
  expect(withUnseen(10, 2000, null)).toBe(310)
  expect(withUnseen(10, 2000, 100)).toBe(100)
  expect(withUnseen(300, 2000, 100)).toBe(300)
})

test('whoever has many answers written pays for the time of each, and for nothing that was refused', () => {
  const meter = new StreamMeter()
  Object.defineProperty(meter, 'silentMs', { value: 2000 })
  const use = (body: object, more: object = {}) => {
    const key = { provider: 'openai' }
    const question = { path: '/chat/completions', bytes: Buffer.alloc(400), body, earlier: [] }
    const line = { question, key, model: 'gpt-5-mini', reservation: { outputTokens: null }, ...more }
    return readUse(lineOf(line), meter, 'left')
  }
  expect(use({}).outputTokens).toBe(300)
  expect(use({ n: 8 }).outputTokens).toBe(2400)
  expect(use({ n: 8 }, { status: 400 })).toMatchObject({ inputTokens: 0, outputTokens: 0 })
  expect(use({}, { status: null, isSent: false })).toMatchObject({ inputTokens: 0, outputTokens: 0 })
})
