import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Client, signUp } from '../support/client'
import { makeKey } from '../support/keys'
import { echoOf, type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

/* Servers that have only chat completions, and the demo model, answer in both of OpenAI's dialects. */

const compatibleKey = 'sk-test-compatible-only-chat-83'
let compatible: OpenAIServer
let server: TestServer
let admin: Client
let newcomer: Client

beforeAll(async () => {
  compatible = await startOpenAI({ acceptKey: (given) => given === compatibleKey })
  server = await startServer({ RATE_LIMITS: 'off' })
  admin = await signUp(server.url, 'admin')
  newcomer = await signUp(server.url, 'newcomer')
  const made = await admin.post('/api/credentials', {
    scope: 'user',
    credentialType: 'openai-compatible',
    baseUrl: compatible.baseUrl,
    credentials: { api_key: compatibleKey },
  })
  expect(made.status, made.text).toBe(201)
})
beforeEach(() => compatible.reset())
afterAll(async () => {
  await server.close()
  await compatible.close()
})

async function sdk(user: Client): Promise<OpenAI> {
  const { key } = await makeKey(user, { scopes: ['gateway'] })
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 })
}

const weather = {
  type: 'function' as const,
  name: 'get_weather',
  strict: false,
  parameters: { type: 'object', properties: { place: { type: 'string' } } },
}

describe('a server with chat completions alone', () => {
  test('a whole Response', async () => {
    const openai = await sdk(admin)
    const response = await openai.responses.create({
      model: 'llama-3.3',
      input: 'Grüße 世界',
      instructions: 'Be kind.',
    })
    expect(response.output_text).toBe(echoOf('Grüße 世界'))
    expect(response).toMatchObject({ object: 'response', status: 'completed', instructions: 'Be kind.' })
    expect(response.usage?.output_tokens).toBeGreaterThan(0)
    expect(compatible.journal).toMatchObject([{ path: '/v1/chat/completions' }])
  })

  test('a stream of events, numbered without a gap', async () => {
    const openai = await sdk(admin)
    const numbers: number[] = []
    const stream = openai.responses.stream({ model: 'llama-3.3', input: 'Hello' })
    for await (const event of stream) numbers.push(event.sequence_number)
    expect(numbers).toEqual(numbers.map((_, index) => index))
    expect((await stream.finalResponse()).output_text).toBe(echoOf('Hello'))
  })

  test('tools and reasoning', async () => {
    const openai = await sdk(admin)
    compatible.script({
      items: [
        { type: 'reasoning', summary: 'It rains often there.' },
        { type: 'function', name: 'get_weather', arguments: { place: 'Bergen' } },
      ],
    })
    const { output } = await openai.responses.create({
      model: 'llama-3.3',
      input: 'Weather?',
      tools: [weather],
    })
    expect(output.map(({ type }) => type)).toContain('function_call')
    expect(output.find(({ type }) => type === 'function_call')).toMatchObject({
      name: 'get_weather',
      arguments: JSON.stringify({ place: 'Bergen' }),
    })
  })

  test('what no chat can do is refused by its name, and nothing is asked', async () => {
    const openai = await sdk(admin)
    const refused = await openai.responses
      .create({ model: 'llama-3.3', input: 'News?', tools: [{ type: 'web_search' }] })
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(OpenAI.BadRequestError)
    expect((refused as { param: string }).param).toMatch(/^tools/)
    expect(compatible.journal).toHaveLength(0)
  })

  test('its errors are told as they are', async () => {
    const openai = await sdk(admin)
    compatible.script({ error: 'context_length_exceeded' })
    await expect(openai.responses.create({ model: 'llama-3.3', input: 'x' })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    })
  })

  test('a stream that breaks ends as a failed Response', async () => {
    const openai = await sdk(admin)
    compatible.script({ text: ['a ', 'b ', 'c ', 'd '], end: 'cut_before_end', after: 2, close: 'abrupt' })
    const stream = await openai.responses.create({ model: 'llama-3.3', input: 'x', stream: true })
    const types: string[] = []
    await (async () => {
      for await (const { type } of stream) types.push(type)
    })().catch(() => undefined)
    expect(types).toContain('response.output_text.delta')
    expect(types).not.toContain('response.completed')
  })
})

describe('where there is no key, the demo model answers', () => {
  test('a chat, whole and streamed', async () => {
    const openai = await sdk(newcomer)
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const whole = await openai.chat.completions.create({ model: 'gpt-5-mini', messages })
    expect(whole).toMatchObject({ model: 'demo', choices: [{ finish_reason: 'stop' }] })
    const stream = await openai.chat.completions.create({ model: 'gpt-5-mini', messages, stream: true })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe(whole.choices[0]?.message.content)
  })

  test('a Response, whole and streamed', async () => {
    const openai = await sdk(newcomer)
    const whole = await openai.responses.create({ model: 'gpt-5-mini', input: 'Hello' })
    const stream = openai.responses.stream({ model: 'gpt-5-mini', input: 'Hello' })
    expect((await stream.finalResponse()).output_text).toBe(whole.output_text)
    expect(whole.output_text).not.toBe('')
  })

  test('it has nothing else, and says that a key is missing', async () => {
    const openai = await sdk(newcomer)
    const refused = await openai.embeddings
      .create({ model: 'text-embedding-3-small', input: 'x' })
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ status: 502, code: 'no_provider_key' })
  })
})
