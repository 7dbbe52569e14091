import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Asked, boundUse, limitOutput } from '@/lib/gateway/bounds'
import { findModelLimits } from '@/lib/usage'
import { listedPrices } from '@/lib/usage/price-list'

const mini: Asked = { provider: 'openai', model: 'gpt-5-mini' }
const local: Asked = { provider: 'openai-compatible', model: 'llama' }
type Body = Record<string, unknown>

const bytesOf = (body: Body) => Buffer.byteLength(JSON.stringify(body))
const bound = (path: string, body: Body, asked = mini) => boundUse(path, body, bytesOf(body), asked)
const chat = (more: Body = {}, content: unknown = 'What is a monad?') => ({
  model: 'gpt-5-mini',
  messages: [{ role: 'user', content }],
  ...more,
})
const picture = (url: string, detail?: string) => [
  { type: 'text', text: 'What is this?' },
  { type: 'image_url', image_url: { url, ...(detail && { detail }) } },
]

test('a text has at most as many tokens as bytes, and likely a quarter of its characters', () => {
  const body = chat({ max_completion_tokens: 500 }, 'Wie groß ist „das“?')
  expect(bound('/chat/completions', body)).toEqual({
    inputTokens: bytesOf(body),
    outputTokens: 500,
    mostOutputTokens: 128_000,
    likelyTokens: Math.ceil(('user'.length + 'Wie groß ist „das“?'.length) / 4) + 500,
  })
  const response = { model: 'gpt-5-mini', input: 'Hello', instructions: 'Be kind.', max_output_tokens: 64 }
  expect(bound('/responses', response)).toMatchObject({ inputTokens: bytesOf(response), outputTokens: 64 })
})

test('no model reads more than its window', () => {
  const body = chat({}, 'x'.repeat(500_000))
  expect(bound('/chat/completions', body)).toMatchObject({ inputTokens: 400_000 })
  expect(bound('/chat/completions', body, local).inputTokens).toBe(bytesOf(body))
})

test('the most that is stated counts for each answer, however it is called; what is no number from one on is none', () => {
  const output = (more: Body, asked = mini) => bound('/chat/completions', chat(more), asked).outputTokens
  expect(output({ max_tokens: 100 })).toBe(100)
  expect(output({ max_tokens: 100, max_completion_tokens: 200 })).toBe(200)
  expect(output({ max_tokens: 100, n: 3 })).toBe(300)
  expect(output({ max_tokens: '100', n: '3' }, local)).toBe(300)
  for (const none of [undefined, null, 0, -1, Number.NaN, 'all', [], {}])
    expect(output({ max_tokens: none })).toBeNull()
  expect(output({ max_tokens: 1e300 })).toBe(2 ** 31 - 1)
  expect(bound('/chat/completions', chat({ n: 3 })).mostOutputTokens).toBe(384_000)
  expect(bound('/chat/completions', chat(), local).mostOutputTokens).toBeNull()
})

test('legacy completions write for each prompt and try, and sixteen tokens at OpenAI where nobody says', () => {
  const output = (body: Body, asked = mini) => bound('/completions', body, asked).outputTokens
  expect(output({ prompt: 'Once' })).toBe(16)
  expect(output({ prompt: 'Once' }, local)).toBeNull()
  expect(output({ prompt: ['a', 'b'], max_tokens: 10, best_of: 5, n: 2 })).toBe(100)
  expect(output({ prompt: [1, 2, 3], max_tokens: 10 })).toBe(10)
  expect(output({ prompt: [[1, 2], [3]], max_tokens: 10 })).toBe(20)
})

test('embeddings and moderations write nothing, pictures so many tokens each', () => {
  const body = { input: ['Hello', 'world'] }
  expect(bound('/embeddings', body)).toMatchObject({ inputTokens: bytesOf(body), outputTokens: 0 })
  expect(bound('/moderations', body)).toMatchObject({ outputTokens: 0 })
  const painter: Asked = { provider: 'openai', model: 'gpt-image-1-mini' }
  expect(bound('/images/generations', { prompt: 'A cat', n: 2, partial_images: 3 }, painter)).toMatchObject({
    outputTokens: 2 * (6400 + 300),
  })
  expect(bound('/images/generations', { prompt: 'A cat' }, local).outputTokens).toBe(32_000)
})

test('a picture is what the model may read it as, not the bytes of its code', () => {
  const data = `data:image/png;base64,${'A'.repeat(300_000)}`
  const input = (content: unknown, asked = mini) =>
    bound('/chat/completions', chat({}, content), asked).inputTokens
  const words = bytesOf(chat({}, picture('')))
  expect(input(picture(data))).toBe(words + 4000)
  expect(input(picture('https://example.com/cat.png'))).toBe(
    words + 'https://example.com/cat.png'.length + 4000,
  )
  expect(input(picture(data, 'low')) - words).toBe(',"detail":"low"'.length + 700)
  const small: Asked = { provider: 'openai', model: 'gpt-4o-mini-2024-07-18' }
  expect(input(picture(data), small)).toBe(words + 48_169)
  const claude: Asked = { provider: 'anthropic', model: 'claude-opus-4-8' }
  expect(input(picture(data), claude)).toBe(words + 4800)
  const item = {
    type: 'message',
    role: 'user',
    content: [{ type: 'input_image', image_url: data, detail: 'low' }],
  }
  expect(bound('/responses', { input: [item] }).inputTokens).toBeLessThan(1000)
  const shot = {
    type: 'computer_call_output',
    call_id: 'c',
    output: { type: 'computer_screenshot', image_url: data },
  }
  expect(bound('/responses', { input: [shot] }).inputTokens).toBeLessThan(5000)
})

test('what the request does not show is as large as the model’s window', () => {
  const file = [{ type: 'file', file: { file_id: 'file-1' } }]
  expect(bound('/chat/completions', chat({}, file)).inputTokens).toBe(400_000)
  for (const more of [
    { previous_response_id: 'resp_1' },
    { conversation: 'conv_1' },
    { input: [{ type: 'item_reference', id: 'msg_1' }] },
    { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] },
  ])
    expect(bound('/responses', { input: 'Go on.', ...more }).inputTokens).toBe(400_000)
  expect(bound('/responses', { input: 'Hi', context_management: [{}] }).inputTokens).toBe(800_000)
})

test('tools that the model server runs are read again after each, as often as is stated or then written', () => {
  const search = { input: 'Look it up.', tools: [{ type: 'web_search' }] }
  expect(bound('/responses', search).inputTokens).toBe(5 * 400_000)
  expect(bound('/responses', { ...search, max_tool_calls: 1 }).inputTokens).toBe(2 * 400_000)
  expect(limitOutput('/responses', search, null, mini)).toEqual({ ...search, max_tool_calls: 4 })
  expect(limitOutput('/responses', { ...search, max_tool_calls: 1 }, 70, mini)).toEqual({
    ...search,
    max_tool_calls: 1,
    max_output_tokens: 70,
  })
  expect(bound('/responses', { prompt: { id: 'pmpt_1' } }).inputTokens).toBe(5 * 400_000)
  const own = { input: 'Hi', tools: [{ type: 'function', name: 'f' }, { type: 'apply_patch' }] }
  expect(bound('/responses', own).inputTokens).toBe(bytesOf(own) + 1600)
  expect(limitOutput('/responses', own, null, mini)).toEqual(own)
})

test.each(['additional_tools', 'tool_search_output'])('tools that come with %s are tools as any', (type) => {
  const bringing = (tool: object) => ({
    input: [
      { role: 'user', content: 'Hi' },
      { type, tools: [tool] },
    ],
  })
  const search = bringing({ type: 'web_search' })
  expect(bound('/responses', search).inputTokens).toBe(5 * 400_000)
  expect(limitOutput('/responses', search, null, mini)).toEqual({ ...search, max_tool_calls: 4 })
  const own = bringing({ type: 'function', name: 'f' })
  expect(bound('/responses', own).inputTokens).toBe(bytesOf(own) + 600)
  expect(limitOutput('/responses', own, null, mini)).toEqual(own)
  // A list of what a server of tools has is no tool.
  const listed = { input: [{ type: 'mcp_list_tools', tools: [{ name: 'search' }] }] }
  expect(bound('/responses', listed).inputTokens).toBe(bytesOf(listed))
})

test('the most is written under the name that the server knows, shared out among the answers', () => {
  const limit = (path: string, body: Body, asked = mini) => limitOutput(path, body, 1000, asked)
  expect(limit('/chat/completions', chat({ max_tokens: -1 }))).toEqual(chat({ max_completion_tokens: 1000 }))
  expect(limit('/chat/completions', chat({ n: 3, max_completion_tokens: null }), local)).toEqual(
    chat({ n: 3, max_tokens: 333 }),
  )
  expect(limit('/responses', { input: 'Hi' })).toEqual({ input: 'Hi', max_output_tokens: 1000 })
  expect(limit('/completions', { prompt: ['a', 'b'] }, local)).toEqual({
    prompt: ['a', 'b'],
    max_tokens: 500,
  })
  expect(() => limit('/completions', { prompt: Array(1001).fill('a') }, local)).toThrow(/max_tokens/)
})

test('a bound that is stated goes out under a name that every server knows, and no other server’s beside it', () => {
  const limit = (path: string, body: Body, asked: Asked) => limitOutput(path, body, null, asked)
  const claude: Asked = { provider: 'anthropic', model: 'claude-opus-5-5' }
  expect(limit('/chat/completions', chat({ max_completion_tokens: 16 }), local)).toEqual(
    chat({ max_tokens: 16 }),
  )
  expect(limit('/chat/completions', chat({ max_tokens: 16, n_predict: 9000 }), local)).toEqual(
    chat({ max_tokens: 16 }),
  )
  for (const asked of [mini, claude]) {
    const body = chat({ max_completion_tokens: 16 })
    expect(limit('/chat/completions', body, asked)).toBe(body)
  }
  const as = chat({ max_tokens: 16 })
  expect(limit('/chat/completions', as, local)).toBe(as)
  const response = { input: 'Hi', max_output_tokens: 16, max_tokens: 64_000, max_completion_tokens: 64_000 }
  for (const path of ['/responses', '/responses/compact'])
    expect(bound(path, response, local).outputTokens).toBe(16)
  expect(bound('/responses/compact', { input: 'Hi', max_tokens: 16 }, local).outputTokens).toBeNull()
  expect(limitOutput('/responses/compact', { input: 'Hi' }, 70, local)).toEqual({
    input: 'Hi',
    max_output_tokens: 70,
  })
})

test('whatever the body is, the bounds are whole numbers from nothing on, and what is written is within them', () => {
  const paths = [
    '/chat/completions',
    '/responses',
    '/completions',
    '/embeddings',
    '/moderations',
    '/images/generations',
  ]
  const names = [
    'messages',
    'input',
    'prompt',
    'tools',
    'n',
    'best_of',
    'max_tokens',
    'max_output_tokens',
    'type',
  ]
  const bodies = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 }))
  fc.assert(
    fc.property(fc.constantFrom(...paths), bodies, fc.constantFrom(mini, local), (path, body, asked) => {
      const { outputTokens, ...rest } = bound(path, body, asked)
      for (const count of [
        outputTokens ?? 0,
        rest.inputTokens,
        rest.likelyTokens,
        rest.mostOutputTokens ?? 0,
      ]) {
        expect(Number.isInteger(count)).toBe(true)
        expect(count).toBeGreaterThanOrEqual(0)
      }
      if (outputTokens !== null) return
      const limit = () => limitOutput(path, body, 100_000, asked)
      // With a token for each, there are as many tokens as answers.
      const answers = bound(path, { ...body, max_tokens: 1, max_output_tokens: 1 }, asked).outputTokens ?? 0
      if (answers > 100_000) expect(limit).toThrow(/max_tokens/)
      else expect(bound(path, limit(), asked).outputTokens).toBeLessThanOrEqual(100_000)
    }),
  )
})

test('a body that is nested without end is looked through', () => {
  let content: unknown = 'deep'
  for (let depth = 0; depth < 100_000; depth++) content = [content]
  expect(boundUse('/chat/completions', { messages: content }, 200_004, mini).inputTokens).toBe(200_004)
})

test('every model whose price is known has bounds, and its days have the same', () => {
  const writing = listedPrices.filter(({ model }) => !/embedding|moderation/.test(model))
  for (const { provider, model } of writing) {
    const limits = findModelLimits(provider, model)
    expect(limits.output, model).not.toBeNull()
    const day = provider === 'anthropic' ? '20250807' : '2025-08-07'
    if (!/-20\d\d-/.test(model)) expect(findModelLimits(provider, `${model}-${day}`), model).toEqual(limits)
  }
  for (const model of ['gpt-5.5', 'gpt-6-luna', 'gpt-6.1-sol'])
    expect(findModelLimits('openai', model)).toMatchObject({ context: 1_050_000, output: 128_000 })
  const claude = (model: string) => {
    const { context, output } = findModelLimits('anthropic', model)
    return [context, output]
  }
  expect(claude('claude-sonnet-4-5-20250929')).toEqual([200_000, 64_000])
  expect(claude('claude-opus-4-1-20250805')).toEqual([200_000, 32_000])
  expect(claude('claude-3-5-sonnet-latest')).toEqual([200_000, 8192])
  for (const model of ['claude-sonnet-4-6', 'claude-opus-5-5', 'claude-fable-5-2', 'claude-haiku-5-5'])
    expect([model, ...claude(model)]).toEqual([model, 1_000_000, 128_000])
  // Another server may call anything the same.
  expect(findModelLimits('openai-compatible', 'gpt-5').output).toBeNull()
})

test.each([
  [{ id: 'msg_1' }],
  [{ type: 'item_reference', id: 'msg_1' }],
  [{ type: 'reasoning', id: 'rs_1', summary: [] }],
  [{ type: 'image_generation_call', id: 'ig_1' }],
  [{ type: 'compaction', id: 'cmp_1' }],
])('what %o stands for may be as long as the model can read', (item) => {
  expect(bound('/responses', { input: [item] }).inputTokens).toBe(400_000)
})

test('a sound that the model server keeps is as hidden', () => {
  const messages = [{ role: 'assistant', audio: { id: 'audio_1' } }]
  expect(bound('/chat/completions', { messages }).inputTokens).toBe(400_000)
})
