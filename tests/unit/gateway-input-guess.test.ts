import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateInput, guessInput, inputOfTurns } from '@/lib/gateway/input-guess'
import type { Question } from '@/lib/gateway/question'
import type { Target } from '@/lib/gateway/targets'

const ask = (path: string, body: Record<string, unknown>, more: Partial<Question> = {}) =>
  ({ path, body, bytes: Buffer.from(JSON.stringify(body)), ...more }) as Question
const at = (provider: string, model = 'gpt-5-mini') => ({ key: { provider }, model }) as unknown as Target
const openai = at('openai')
const local = at('openai-compatible', 'llava')

const picture = `data:image/png;base64,${'A'.repeat(500_000)}`
const shown = { role: 'user', content: [{ type: 'input_image', image_url: picture }] }
const chatOf = (...content: object[]) => ({ model: 'gpt-5-mini', messages: [{ role: 'user', content }] })

test('a picture that is sent along is no text', () => {
  const tokens = estimateInput(ask('/responses', { input: [shown] }))
  expect(tokens).toBeGreaterThan(1000)
  expect(tokens).toBeLessThan(2000)
})

test('what shows all that it tells is estimated by that, and asked about nowhere', () => {
  const body = { input: 'x'.repeat(4000) }
  const { tokens, count } = guessInput(ask('/responses', body), openai)
  expect(tokens).toBe(Math.ceil(JSON.stringify(body).length / 4))
  expect(count).toBeNull()
  expect(guessInput(ask('/moderations', body), openai)).toMatchObject({ tokens: 0, count: null })
})

describe.each([
  ['a response', { previous_response_id: 'resp_1', input: 'And?' }],
  ['a conversation', { conversation: 'conv_1', input: 'And?' }],
  ['an item', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ['a file', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }],
])('what goes on from %s', (_, body) => {
  test('is counted by OpenAI, with all that counts and nothing else', () => {
    const call = {
      ...body,
      instructions: 'Short.',
      stream: true,
      store: true,
      metadata: { a: 'b' },
      background: true,
    }
    const { tokens, count, most } = guessInput(ask('/responses', call), openai)
    expect(count).toEqual({ body: { ...body, instructions: 'Short.', model: 'gpt-5-mini' }, beside: 0 })
    expect([tokens, most]).toEqual([400_000, 400_000])
  })

  test('is the most that it can be where nobody counts', () => {
    const { tokens, count, most } = guessInput(ask('/responses', body), at('openai-compatible', 'other'))
    expect(count).toBeNull()
    expect(tokens).toBe(most)
  })
})

test('what is kept here and told again is no secret', () => {
  const call = ask(
    '/responses',
    { previous_response_id: 'resp_1', input: 'And?' },
    {
      earlier: [{ role: 'user', content: 'x'.repeat(4000) }],
    },
  )
  const { tokens, count } = guessInput(call, local)
  expect(count).toBeNull()
  expect(tokens).toBeGreaterThan(1000)
  expect(tokens).toBeLessThan(1100)
})

describe('a chat', () => {
  test('has its pictures and files counted, and its words beside', () => {
    const body = chatOf(
      { type: 'text', text: 'x'.repeat(4000) },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
      { type: 'file', file: { file_id: 'file-1' } },
    )
    const { count } = guessInput(ask('/chat/completions', body), openai)
    expect(count?.body).toEqual({
      model: 'gpt-5-mini',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
            { type: 'input_file', file_id: 'file-1' },
          ],
        },
      ],
    })
    expect(count?.beside).toBe(Math.ceil(JSON.stringify(body).length / 4))
  })

  test('that goes on from a sound which its server keeps is the most that it can be', () => {
    const messages = [{ role: 'assistant', audio: { id: 'audio_1' } }]
    const { tokens, most, count } = guessInput(ask('/chat/completions', { messages }), at('openai', 'gpt-4o'))
    expect(count).toBeNull()
    expect([tokens, most]).toEqual([128_000, 128_000])
  })
})

test('every turn reads again what was found before, and none reads more than was set aside', () => {
  const guess = { tokens: 100, most: 100_000, count: null, toolRuns: 4 }
  expect(inputOfTurns(100, guess, 0)).toBe(100)
  expect(inputOfTurns(100, guess, 1)).toBe(200 + 16_000)
  expect(inputOfTurns(100, guess, 2)).toBe(300 + 48_000)
  expect(inputOfTurns(100, guess, null)).toBe(100_000)
  expect(inputOfTurns(100, { ...guess, toolRuns: 0 }, null)).toBe(100)
})

test('it is never more than what is set aside', () => {
  const bodies = fc.record(
    {
      input: fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom<object>(shown, { type: 'item_reference', id: 'msg_1' })),
      ),
      previous_response_id: fc.constant('resp_1'),
      tools: fc.constant([{ type: 'web_search' }]),
      max_tool_calls: fc.nat(20),
    },
    { requiredKeys: ['input'] },
  )
  fc.assert(
    fc.property(bodies, fc.nat(1_000_000), fc.option(fc.nat(20)), (body, counted, runs) => {
      const guess = guessInput(ask('/responses', body), openai)
      expect(guess.tokens).toBeLessThanOrEqual(guess.most)
      expect(inputOfTurns(counted, guess, runs)).toBeLessThanOrEqual(guess.most)
    }),
  )
})
