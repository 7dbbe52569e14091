import { createOpenAI, type OpenAIProvider } from '@ai-sdk/openai'
import {
  APICallError,
  embed,
  embedMany,
  generateImage,
  generateObject,
  generateText,
  isStepCount,
  Output,
  RetryError,
  streamObject,
  streamText,
  tool,
} from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type GatewayWorld, startGateway } from '../../support/gateway'
import { echoOf, type Script } from '../../support/openai'

// Vercel's AI SDK, whose provider for OpenAI is given nothing but the gateway's address and an API key.

let world: GatewayWorld
let openai: OpenAIProvider

beforeAll(async () => {
  world = await startGateway()
  const { key } = await world.sdk()
  openai = createOpenAI({ baseURL: `${world.server.url}/v1`, apiKey: key })
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

const prompt = 'Grüße, 世界!'
const paths = () => world.upstream.journal.map(({ path }) => path)
const lastBody = () => world.upstream.journal.at(-1)?.body as Record<string, unknown>

const toCity: Script = {
  items: [{ type: 'function', name: 'weather', arguments: { city: 'Lima' }, callId: 'call_1' }],
}
const weather = tool({
  description: 'The weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `20 °C in ${city}`,
})
const Echo = z.object({ echo: z.string() })

const dialects: [name: string, path: string, model: () => ReturnType<OpenAIProvider['chat']>][] = [
  ['openai(…), which asks for Responses', '/v1/responses', () => openai('gpt-5-mini')],
  ['openai.responses(…)', '/v1/responses', () => openai.responses('gpt-4.1')],
  ['openai.chat(…)', '/v1/chat/completions', () => openai.chat('gpt-4.1')],
]

describe.each(dialects)('%s', (_, path, model) => {
  test('generates text, and tells what it used', async () => {
    world.upstream.script({ usage: { input: 12, output: 34 } })
    const { text, usage, finishReason, response } = await generateText({ model: model(), prompt })
    expect(text).toBe(echoOf(prompt))
    expect(finishReason).toBe('stop')
    expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 34 })
    expect(response.headers?.['x-request-id']).toMatch(/^[\w-]{8,64}$/)
    expect(paths()).toEqual([path])
  })

  test.each<Script>([
    {},
    { split: 'bytes' },
    { split: { random: 3 } },
    { crlf: true },
    { unknownEvents: true },
  ])('streams text, however it comes: %j', async (script) => {
    world.upstream.script(script)
    const result = streamText({ model: model(), prompt })
    const deltas: string[] = []
    for await (const delta of result.textStream) deltas.push(delta)
    expect(deltas.join('')).toBe(echoOf(prompt))
    expect(deltas.length).toBeGreaterThan(1)
    expect(await result.finishReason).toBe('stop')
    expect((await result.usage).totalTokens).toBeGreaterThan(0)
  })

  test('runs tools in a loop of steps, whole and streamed', async () => {
    for (const run of [generateText, streamText]) {
      world.upstream.script(toCity)
      world.upstream.script({ text: 'It is warm.' })
      const result = run({ model: model(), prompt, tools: { weather }, stopWhen: isStepCount(3) })
      expect(await (await result).text).toBe('It is warm.')
      const steps = await (await result).steps
      expect(steps).toHaveLength(2)
      expect(steps[0]?.toolResults).toMatchObject([{ toolName: 'weather', output: '20 °C in Lima' }])
      expect(JSON.stringify(lastBody())).toContain('20 °C in Lima')
    }
  })

  test('generates an object of a schema, whole and streamed', async () => {
    const whole = await generateText({ model: model(), prompt, output: Output.object({ schema: Echo }) })
    expect(whole.output).toEqual({ echo: echoOf(prompt) })
    const streamed = streamText({ model: model(), prompt, output: Output.object({ schema: Echo }) })
    expect(await streamed.output).toEqual({ echo: echoOf(prompt) })
    // The functions that had their own names for it before.
    expect((await generateObject({ model: model(), prompt, schema: Echo })).object).toEqual(whole.output)
    const parts: unknown[] = []
    for await (const part of streamObject({ model: model(), prompt, schema: Echo }).partialObjectStream)
      parts.push(part)
    expect(parts.at(-1)).toEqual(whole.output)
  })

  test('takes a refused call for one, with its status and what was said', async () => {
    world.upstream.script({ error: 'context_length_exceeded' })
    const error = await generateText({ model: model(), prompt, maxRetries: 0 }).catch(
      (thrown: unknown) => thrown,
    )
    expect(APICallError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({
      statusCode: 400,
      isRetryable: false,
      data: { error: { code: 'context_length_exceeded', type: 'invalid_request_error' } },
    })
  })

  test('leaves, and the call ends at the model server, too', async () => {
    world.upstream.script({ text: Array.from({ length: 500 }, (_, n) => `word ${n} `), delayMs: 20 })
    const gone = new AbortController()
    const result = streamText({ model: model(), prompt, abortSignal: gone.signal, onError: () => undefined })
    let heard = 0
    for await (const _ of result.textStream) if (++heard === 5) gone.abort()
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
  })

  test('is given pictures and a conversation', async () => {
    const { text } = await generateText({
      model: model(),
      messages: [
        { role: 'user', content: 'My name is Ada.' },
        { role: 'assistant', content: 'Hello, Ada.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Who is this?' },
            { type: 'file', data: new Uint8Array([137, 80, 78, 71]), mediaType: 'image/png' },
          ],
        },
      ],
    })
    expect(text).toBe(echoOf('Who is this?'))
    expect(JSON.stringify(lastBody())).toContain('data:image/png;base64,iVBORw==')
  })
})

test('reasoning is told apart from the answer, whole and streamed, and goes along with the next step', async () => {
  world.upstream.script({ reasoning: ['First.', 'Second.'], text: 'So it is.' }, { times: 2 })
  const whole = await generateText({ model: openai('gpt-5-mini'), prompt })
  expect(whole.reasoningText).toContain('First.')
  expect(whole.text).toBe('So it is.')
  const streamed = streamText({ model: openai('gpt-5-mini'), prompt })
  expect(await streamed.reasoningText).toBe(whole.reasoningText)
  expect(await streamed.text).toBe('So it is.')
  const sealed = { openai: { store: false, include: ['reasoning.encrypted_content'] } }
  world.upstream.script({ items: [{ type: 'reasoning', summary: 'Hm.' }, ...(toCity.items ?? [])] })
  await generateText({
    model: openai('gpt-5-mini'),
    prompt,
    tools: { weather },
    stopWhen: isStepCount(2),
    providerOptions: sealed,
  })
  const { input } = lastBody() as { input: { type?: string; encrypted_content?: string }[] }
  const thought = input.find(({ type }) => type === 'reasoning')
  expect(thought?.encrypted_content).toMatch(/^gAAAAAB/)
})

test('a conversation goes on from a response by its id', async () => {
  const first = await generateText({ model: openai('gpt-5-mini'), prompt: 'My name is Ada.' })
  const previousResponseId = String(first.providerMetadata?.openai?.responseId)
  expect(previousResponseId).toMatch(/^resp_/)
  const next = await generateText({
    model: openai('gpt-5-mini'),
    prompt: 'What is it?',
    providerOptions: { openai: { previousResponseId } },
  })
  expect(next.text).toBe(echoOf('What is it?'))
  expect(lastBody()).toMatchObject({ previous_response_id: previousResponseId })
})

test('embeddings, pictures and legacy completions', async () => {
  const model = openai.embedding('text-embedding-3-small')
  expect((await embed({ model, value: prompt })).embedding).toHaveLength(1536)
  const { embeddings } = await embedMany({ model, values: ['a', 'b', 'c'] })
  expect(embeddings).toHaveLength(3)
  const { image } = await generateImage({ model: openai.image('gpt-image-1'), prompt: 'A cat' })
  expect(image.base64.length).toBeGreaterThan(0)
  const { text } = await generateText({ model: openai.completion('gpt-3.5-turbo-instruct'), prompt: 'Once' })
  expect(text.length).toBeGreaterThan(0)
  expect(paths()).toEqual(['/v1/embeddings', '/v1/embeddings', '/v1/images/generations', '/v1/completions'])
})

test('tries again what passes, and not what does not', async () => {
  // The gateway has tried three times before the client hears of it.
  world.upstream.script({ error: 'overloaded', retryAfterSeconds: 0 }, { times: 3 })
  const { text } = await generateText({ model: openai('gpt-5-mini'), prompt, maxRetries: 1 })
  expect(text).toBe(echoOf(prompt))
  expect(world.upstream.journal).toHaveLength(4)
  world.upstream.script({ error: 'overloaded', retryAfterSeconds: 0 }, { times: 6 })
  const gaveUp = await generateText({ model: openai('gpt-5-mini'), prompt, maxRetries: 1 }).catch(
    (e: unknown) => e,
  )
  expect(RetryError.isInstance(gaveUp)).toBe(true)
  expect(gaveUp).toMatchObject({ errors: [{ statusCode: 503 }, { statusCode: 503 }] })
})

test('a wrong key is refused, and says nothing of the right one', async () => {
  const wrong = createOpenAI({ baseURL: `${world.server.url}/v1`, apiKey: 'alc_wrong' })
  const error = await generateText({ model: wrong('gpt-5-mini'), prompt, maxRetries: 0 }).catch(
    (e: unknown) => e,
  )
  expect(error).toMatchObject({ statusCode: 401, data: { error: { code: 'invalid_api_key' } } })
  expect(world.upstream.journal).toEqual([])
})
