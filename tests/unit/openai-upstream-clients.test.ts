import { createOpenAI } from '@ai-sdk/openai'
import { streamText, tool } from 'ai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { echoOf, type OpenAIServer, startOpenAI } from '../support/openai'

// A client that we did not write reads the upstream of our tests as it reads OpenAI's.
let server: OpenAIServer
let model: (name: string) => ReturnType<ReturnType<typeof createOpenAI>>

beforeAll(async () => {
  server = await startOpenAI()
  model = createOpenAI({ baseURL: server.baseUrl, apiKey: 'sk-test-ai-sdk' })
})
beforeEach(() => server.reset())
afterAll(() => server.close())

test('the AI SDK reads a streamed answer with its reasoning and usage', async () => {
  server.script({ reasoning: 'Thinking it over.', text: 'A considered answer.' })
  const result = streamText({ model: model('gpt-5-mini'), prompt: 'Well?' })
  expect(await result.text).toBe('A considered answer.')
  expect(await result.finishReason).toBe('stop')
  expect((await result.usage).outputTokens).toBeGreaterThan(0)
})

test('the AI SDK reads an answer that comes byte by byte', async () => {
  server.script({ split: 'bytes' })
  const result = streamText({ model: model('gpt-5-mini'), prompt: 'grüße 世界' })
  expect(await result.text).toBe(echoOf('grüße 世界'))
})

test('the AI SDK reads a tool call with its arguments', async () => {
  server.script({ items: [{ type: 'function', name: 'weather', arguments: { city: 'Lima' } }] })
  const weather = tool({ description: 'The weather', inputSchema: z.object({ city: z.string() }) })
  const result = streamText({ model: model('gpt-5-mini'), prompt: 'Weather?', tools: { weather } })
  expect(await result.toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Lima' } }])
})

test('the AI SDK takes a refused key for one', async () => {
  const errors: unknown[] = []
  const stranger = createOpenAI({ baseURL: server.baseUrl, apiKey: 'wrong' })
  const result = streamText({
    model: stranger('gpt-5-mini'),
    prompt: 'x',
    onError: ({ error }) => void errors.push(error),
    maxRetries: 0,
  })
  await result.consumeStream()
  expect(errors).toMatchObject([{ statusCode: 401 }])
})
