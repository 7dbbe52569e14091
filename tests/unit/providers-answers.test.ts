import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { callTo, canary, compatibleKey, hear, openaiKey } from '../support/model-call'
import { type End, type OpenAIServer, type Script, type Split, startOpenAI } from '../support/openai'

let upstream: OpenAIServer
beforeAll(async () => {
  upstream = await startOpenAI()
})
afterAll(() => upstream.close())
beforeEach(() => upstream.reset())

const words = ['Grüße', ' aus', ' 東京', ', 👩‍👩‍👧', ' and\nback', ' "quoted" \\ ', '{}', ' fin.']
const dialects = {
  responses: () => openaiKey(upstream.baseUrl),
  completions: () => compatibleKey(upstream.baseUrl),
}

function ask(dialect: keyof typeof dialects, script: Script, changes = {}) {
  upstream.script(script)
  return hear(callTo(dialects[dialect](), changes))
}

describe.each(['responses', 'completions'] as const)('%s', (dialect) => {
  const framings: [string, Script][] = []
  for (const split of ['events', 'bytes', { random: 7 }] satisfies Split[])
    for (const crlf of [false, true])
      for (const unknownEvents of [false, true])
        framings.push([JSON.stringify({ split, crlf, unknownEvents }), { split, crlf, unknownEvents }])

  test.each(framings)('gives the text byte for byte when framed %s', async (_, framing) => {
    const heard = await ask(dialect, { text: words, ...framing })
    expect(heard.error).toBeNull()
    expect(heard.text).toBe(words.join(''))
    expect(heard.done?.finish).toBe('stop')
  })

  test('reports what was used', async () => {
    const { done } = await ask(dialect, {
      text: words,
      usage: { input: 50, output: 20, reasoning: 12, cached: 8 },
    })
    expect(done?.usage).toMatchObject({ input_tokens: 50, output_tokens: 20, total_tokens: 70 })
    expect(done?.usage).toMatchObject({ cached_tokens: 8, reasoning_tokens: 12 })
  })

  test('keeps thoughts apart from text', async () => {
    const heard = await ask(dialect, { text: 'Yes.', reasoning: ['First I look.', 'Then I leap.'] })
    expect(heard.text).toBe('Yes.')
    expect(heard.reasoning).toMatch(/First I look\.\s*Then I leap\./)
  })

  test('says that an answer was cut for length', async () => {
    const heard = await ask(dialect, { text: words, end: 'incomplete' })
    expect(heard.error).toBeNull()
    expect(heard.done?.finish).toBe('length')
  })

  test('gives a refusal as text, and says that it is one', async () => {
    const heard = await ask(dialect, { refusal: 'I would rather not.' })
    expect(heard.text).toBe('I would rather not.')
    expect(heard.done?.finish).toBe('refusal')
  })

  test('sends the key to the server in the one place where it belongs', async () => {
    await ask(dialect, { text: 'Yes.' })
    const [request] = upstream.journal
    expect(request?.headers.authorization).toBe(`Bearer ${canary}`)
    expect(JSON.stringify({ ...request, headers: null })).not.toContain(canary)
  })
})

const conversation = [
  { role: 'user' as const, text: 'One?' },
  { role: 'assistant' as const, text: 'Two.' },
  { role: 'user' as const, text: 'Three?' },
]
const everything = {
  instructions: 'Be brief.',
  messages: conversation,
  temperature: 0.5,
  maxOutputTokens: 99,
  reasoningEffort: 'low',
}

test('asks the Responses API for what was set and for nothing else', async () => {
  await ask('responses', { text: 'Yes.' }, everything)
  await ask('responses', { text: 'Yes.' })
  const turns = conversation.map(({ role, text }) => ({ role, content: text }))
  expect(upstream.journal[0]).toMatchObject({ method: 'POST', path: '/v1/responses' })
  expect(upstream.journal[0]?.body).toEqual({
    model: 'gpt-5-nano',
    instructions: 'Be brief.',
    input: turns,
    temperature: 0.5,
    max_output_tokens: 99,
    reasoning: { effort: 'low' },
    store: false,
    stream: true,
  })
  const bare = {
    model: 'gpt-5-nano',
    input: [{ role: 'user', content: 'Say something.' }],
    store: false,
    stream: true,
  }
  expect(upstream.journal[1]?.body).toEqual(bare)
})

test('asks chat completions for what was set and for nothing else', async () => {
  await ask('completions', { text: 'Yes.' }, everything)
  await ask('completions', { text: 'Yes.' })
  const turns = conversation.map(({ role, text }) => ({ role, content: text }))
  expect(upstream.journal[0]?.body).toEqual({
    model: 'gpt-5-nano',
    messages: [{ role: 'system', content: 'Be brief.' }, ...turns],
    temperature: 0.5,
    max_tokens: 99,
    reasoning_effort: 'low',
    stream: true,
    stream_options: { include_usage: true },
  })
  expect(upstream.journal[1]?.body).toEqual({
    model: 'gpt-5-nano',
    messages: [{ role: 'user', content: 'Say something.' }],
    stream: true,
    stream_options: { include_usage: true },
  })
})

test('a chat stream without [DONE] is whole once the reason for its end is known', async () => {
  const heard = await ask('completions', { text: words, end: 'no_done' satisfies End })
  expect(heard.error).toBeNull()
  expect(heard.text).toBe(words.join(''))
})
