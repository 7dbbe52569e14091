import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateInput, guessInput, inputOfTurns, runsWithin } from '@/lib/gateway/input-guess'
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

test('what shows all that it tells is estimated by that; a response is counted all the same', () => {
  const body = { input: 'x'.repeat(4000) }
  const words = Math.ceil(JSON.stringify(body).length / 4)
  const count = { ...body, model: 'gpt-5-mini' }
  expect(guessInput(ask('/responses', body), openai)).toMatchObject({ tokens: words, count, beside: 0 })
  expect(guessInput(ask('/responses', body), local)).toMatchObject({ tokens: words, count: null })
  expect(guessInput(ask('/moderations', body), openai)).toMatchObject({ tokens: 0, count: null })
  const chat = chatOf({ type: 'text', text: 'x'.repeat(4000) })
  expect(guessInput(ask('/chat/completions', chat), openai).count).toBeNull()
})

test('texts that are told as numbers have as many tokens as numbers', () => {
  for (const prompt of [Array(1000).fill(1), [Array(400).fill(1), Array(600).fill(2)]])
    expect(guessInput(ask('/completions', { prompt }), openai).tokens).toBe(1000)
  expect(estimateInput(ask('/embeddings', { input: Array(1000).fill(1) }))).toBe(1000)
})

describe.each([
  ['a response', { previous_response_id: 'resp_1', input: 'And?' }],
  ['a conversation', { conversation: 'conv_1', input: 'And?' }],
  ['an item', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ['an item by its id alone', { input: [{ id: 'msg_1' }] }],
  ['a thought', { input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] }],
  ['a picture that was made', { input: [{ type: 'image_generation_call', id: 'ig_1' }] }],
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
    expect(count).toEqual({ ...body, instructions: 'Short.', model: 'gpt-5-mini' })
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
      { type: 'image_url', image_url: { url: picture, detail: 'low' } },
      { type: 'file', file: { file_id: 'file-1' } },
    )
    const { count, beside } = guessInput(ask('/chat/completions', body), openai)
    expect(count).toEqual({
      model: 'gpt-5-mini',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: picture, detail: 'low' },
            { type: 'input_file', file_id: 'file-1' },
          ],
        },
      ],
    })
    expect(beside).toBe(Math.ceil((JSON.stringify(body).length - picture.length) / 4))
  })

  test('that goes on from a sound which its server keeps is the most that it can be', () => {
    const messages = [{ role: 'assistant', audio: { id: 'audio_1' } }]
    const { tokens, most, count } = guessInput(ask('/chat/completions', { messages }), at('openai', 'gpt-4o'))
    expect(count).toBeNull()
    expect([tokens, most]).toEqual([128_000, 128_000])
  })
})

test('a file that stands in a chat is counted by its server alone', () => {
  const file_data = `data:application/pdf;base64,${'A'.repeat(400_000)}`
  const body = chatOf({ type: 'file', file: { filename: 'a.pdf', file_data } })
  const { beside, count } = guessInput(ask('/chat/completions', body), openai)
  expect(beside).toBeLessThan(100)
  expect(count).toMatchObject({ input: [{ content: [{ type: 'input_file', file_data }] }] })
})

test.each([
  ['a picture', { type: 'input_image', image_url: 'https://example.com/a.png' }, 4000 + 100],
  ['a file', { type: 'input_file', file_url: 'https://example.com/a.pdf' }, 400_000],
])('%s that is fetched from elsewhere may be another one when it is counted', (_, part, most) => {
  const { count, tokens } = guessInput(
    ask('/responses', { input: [{ role: 'user', content: [part] }] }),
    openai,
  )
  expect(count).toBeNull()
  expect(tokens).toBeGreaterThanOrEqual(4000)
  expect(tokens).toBeLessThanOrEqual(most)
})

test('a stored prompt may hold as much as the model can read, and nobody counts it', () => {
  const body = { prompt: { id: 'pmpt_1' }, input: 'Hi' }
  expect(guessInput(ask('/responses', body), openai)).toMatchObject({ tokens: 400_000, count: null })
})

test('tools of the server’s are not told to be counted: what they bring along is the caller’s secret', () => {
  const own = { type: 'function', name: 'look', parameters: {} }
  const mcp = {
    type: 'mcp',
    server_url: 'https://example.com',
    authorization: 'secret',
    headers: { key: 'secret' },
  }
  const body = { input: 'Hi', tools: [own, mcp], tool_choice: { type: 'mcp' } }
  const { count, beside } = guessInput(ask('/responses', body), openai)
  expect(count).toEqual({ input: 'Hi', model: 'gpt-5-mini', tools: [own] })
  expect(beside).toBeGreaterThan(1000)
})

test('tools are run where there are some, and once in a chat; a text to go on with is no stored prompt', () => {
  const runs = (path: string, body: Record<string, unknown>) => guessInput(ask(path, body), openai).toolRuns
  expect(runs('/responses', { input: 'Hi', tools: [{ type: 'web_search' }] })).toBe(4)
  expect(runs('/responses', { input: 'Hi', tools: [{ type: 'web_search' }], max_tool_calls: 50 })).toBe(50)
  expect(runs('/chat/completions', { ...chatOf(), web_search_options: {} })).toBe(1)
  expect(runs('/completions', { prompt: 'Once upon a time' })).toBe(0)
  expect(runs('/images/generations', { prompt: 'A story' })).toBe(0)
})

test('no more tools were run than there was time for', () => {
  expect([0, 1, 1000, 2500, -1].map(runsWithin)).toEqual([0, 1, 1, 3, 0])
})

test('where nobody counts, one turn reads what a model can read, and each tool makes another', () => {
  const body = { previous_response_id: 'resp_1', input: 'And?', tools: [{ type: 'web_search' }] }
  const guess = guessInput(ask('/responses', body), openai)
  expect(guess).toMatchObject({ tokens: 400_000, most: 2_000_000 })
  expect(inputOfTurns(guess.tokens, guess, 0)).toBe(400_000)
})

test('every turn reads again what was found before, and none reads more than was set aside', () => {
  const guess = { tokens: 100, most: 100_000, count: null, beside: 0, toolRuns: 4 }
  expect(inputOfTurns(100, guess, 0)).toBe(100)
  expect(inputOfTurns(100, guess, 1)).toBe(200 + 16_000)
  expect(inputOfTurns(100, guess, 2)).toBe(300 + 48_000)
  expect(inputOfTurns(100, guess, 9)).toBe(100_000)
  expect(inputOfTurns(100, { ...guess, toolRuns: 0 }, 9)).toBe(100)
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
    fc.property(bodies, fc.nat(1_000_000), fc.nat(20), (body, counted, runs) => {
      const guess = guessInput(ask('/responses', body), openai)
      expect(guess.tokens).toBeLessThanOrEqual(guess.most)
      expect(inputOfTurns(counted, guess, runs)).toBeLessThanOrEqual(guess.most)
    }),
  )
})
