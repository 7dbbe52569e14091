import { createOpenAI, type OpenAILanguageModelResponsesOptions } from '@ai-sdk/openai'
import { generateText, Output, stepCountIs, streamText, tool } from 'ai'
import OpenAI from 'openai'
import { toResponseInputItems } from 'openai/lib/responses/ResponseInputItems'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type OpenAIServer, type Split, startOpenAI } from '../support/openai'
import { startTranslator, type Translator } from '../support/translator'

// Clients that we did not write read Responses that were made of chat completions.
let upstream: OpenAIServer
let translator: Translator
let client: OpenAI
beforeAll(async () => {
  upstream = await startOpenAI()
  translator = await startTranslator(upstream.baseUrl)
  client = new OpenAI({ baseURL: translator.baseUrl, apiKey: 'alc_test', maxRetries: 0 })
})
beforeEach(() => {
  upstream.reset()
  translator.asked.length = 0
})
afterAll(async () => {
  await translator.close()
  await upstream.close()
})

const weather = {
  type: 'function' as const,
  name: 'weather',
  description: 'The weather of a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
}
const lima = { type: 'function' as const, name: 'weather', arguments: { city: 'Lima' } }
const oslo = { type: 'function' as const, name: 'weather', arguments: { city: 'Oslo' } }

describe('the openai package', () => {
  test('reads a whole answer', async () => {
    upstream.script({ reasoning: 'Hm.', text: 'Hello there.' })
    const response = await client.responses.create({ model: 'gpt-5-mini', input: 'Hi' })
    expect(response.output_text).toBe('Hello there.')
    expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    expect(response.usage?.total_tokens).toBeGreaterThan(0)
  })

  test.each<Split>(['events', 'bytes', { random: 7 }])(
    'follows a stream that is split at %j',
    async (split) => {
      upstream.script({ reasoning: 'Let me think.', text: 'Grüße, 世界 🌍!', split })
      const stream = client.responses.stream({ model: 'gpt-5-mini', input: 'Hi' })
      const deltas: string[] = []
      stream.on('response.output_text.delta', ({ delta }) => void deltas.push(delta))
      const response = await stream.finalResponse()
      expect([deltas.join(''), response.output_text]).toEqual(['Grüße, 世界 🌍!', 'Grüße, 世界 🌍!'])
      expect(response.output[0]).toMatchObject({ type: 'reasoning', summary: [{ text: 'Let me think.' }] })
      expect(response.status).toBe('completed')
    },
  )

  test('gets calls at once and sends their outputs back', async () => {
    upstream.script({
      items: [{ type: 'reasoning', text: 'Both.' }, { type: 'text', text: 'Looking.' }, lima, oslo],
    })
    const first = await client.responses
      .stream({ model: 'gpt-5-mini', input: 'Weather?', tools: [weather] })
      .finalResponse()
    const calls = first.output.filter((item) => item.type === 'function_call')
    expect(calls.map((call) => call.arguments)).toEqual(['{"city":"Lima"}', '{"city":"Oslo"}'])
    upstream.script({ text: 'Warm and cold.' })
    const outputs = calls.map(({ call_id }) => ({
      type: 'function_call_output' as const,
      call_id,
      output: 'ok',
    }))
    const input = [
      { role: 'user' as const, content: 'Weather?' },
      ...toResponseInputItems(first.output),
      ...outputs,
    ]
    const second = await client.responses.create({ model: 'gpt-5-mini', input, tools: [weather] })
    expect(second.output_text).toBe('Warm and cold.')
    expect(translator.asked[1]?.messages).toMatchObject([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: 'Looking.',
        reasoning_content: 'Both.',
        tool_calls: [{ type: 'function' }, {}],
      },
      { role: 'tool', tool_call_id: calls[0]?.call_id },
      { role: 'tool', tool_call_id: calls[1]?.call_id },
    ])
  })

  test('gives custom tools their input', async () => {
    const call = { type: 'function' as const, name: 'patch', arguments: { input: '*** Begin\n"x"' } }
    upstream.script({ items: [call] })
    const tools = [{ type: 'custom' as const, name: 'patch' }]
    const { output } = await client.responses
      .stream({ model: 'gpt-5-mini', input: 'Patch', tools })
      .finalResponse()
    expect(output).toMatchObject([{ type: 'custom_tool_call', name: 'patch', input: '*** Begin\n"x"' }])
  })

  test('hears a refusal, an end that is too early, and probabilities', async () => {
    upstream.script({ refusal: 'I cannot.' })
    const refused = await client.responses.stream({ model: 'gpt-5-mini', input: 'x' }).finalResponse()
    expect(refused.output).toMatchObject([{ content: [{ type: 'refusal', refusal: 'I cannot.' }] }])
    upstream.script({ text: 'One two three four', end: 'incomplete', after: 2 })
    const include = ['message.output_text.logprobs' as const]
    const short = await client.responses.stream({ model: 'gpt-5-mini', input: 'x', include }).finalResponse()
    expect(short).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
    expect(short.output).toMatchObject([
      { status: 'incomplete', content: [{ logprobs: [{ token: expect.any(String) }, {}] }] },
    ])
  })

  test.each(['error_nested', 'error_flat', 'cut_before_end', 'no_done'] as const)(
    'hears of an answer that ends in %s',
    async (end) => {
      upstream.script({ text: 'One two', end, close: 'clean', failure: { code: 'boom', message: 'Broke.' } })
      const ended = client.responses.stream({ model: 'gpt-5-mini', input: 'x' }).finalResponse()
      // A server that only forgets `[DONE]` has said why it ended.
      if (end === 'no_done') expect((await ended).output_text).toBe('One two')
      else await expect(ended).rejects.toMatchObject({ code: 'server_error' })
    },
  )

  test('is told which parameter is at fault', async () => {
    const tools = [{ type: 'web_search' as const }]
    const refusal = client.responses.create({ model: 'gpt-5-mini', input: 'x', tools })
    await expect(refusal).rejects.toMatchObject({
      status: 400,
      param: 'tools[0].type',
      code: 'unsupported_value',
    })
  })
})

describe('the AI SDK', () => {
  const model = () => createOpenAI({ baseURL: translator.baseUrl, apiKey: 'alc_test' })('gpt-5-mini')

  test('streams thoughts and text', async () => {
    upstream.script({ reasoning: 'Thinking it over.', text: 'A considered answer.' })
    const errors: unknown[] = []
    const result = streamText({
      model: model(),
      prompt: 'Well?',
      onError: ({ error }) => void errors.push(error),
    })
    expect(await result.text).toBe('A considered answer.')
    expect(await result.reasoningText).toBe('Thinking it over.')
    expect(await result.finishReason).toBe('stop')
    expect((await result.usage).outputTokens).toBeGreaterThan(0)
    expect(errors).toEqual([])
  })

  test('reads an answer that is whole, and structured', async () => {
    upstream.script({ text: '{"city":"Lima"}' })
    const output = Output.object({ schema: z.object({ city: z.string() }) })
    const result = await generateText({ model: model(), prompt: 'Where?', output })
    expect(result.output).toEqual({ city: 'Lima' })
    expect(translator.asked[0]?.response_format).toMatchObject({
      type: 'json_schema',
      json_schema: { strict: true },
    })
  })

  // Unless told otherwise the AI SDK names the items of earlier answers by their ids, and does not send them.
  test.each([true, false])(
    'runs tools and goes on with what they gave, items being kept: %s',
    async (store) => {
      upstream.script({ items: [{ type: 'reasoning', text: 'Both.' }, lima, oslo] })
      upstream.script({ text: 'Warm and cold.' })
      const tools = {
        weather: tool({
          description: 'The weather',
          inputSchema: z.object({ city: z.string() }),
          execute: async ({ city }) => `fine in ${city}`,
        }),
      }
      const providerOptions = { openai: { store } satisfies OpenAILanguageModelResponsesOptions }
      const stopWhen = stepCountIs(2)
      const result = streamText({ model: model(), prompt: 'Weather?', tools, providerOptions, stopWhen })
      expect(await result.text).toBe('Warm and cold.')
      expect(translator.asked).toHaveLength(2)
      expect(translator.asked[1]?.messages).toMatchObject([
        { role: 'user' },
        {
          role: 'assistant',
          ...(store && { reasoning_content: 'Both.' }),
          tool_calls: [{ function: { arguments: '{"city":"Lima"}' } }, {}],
        },
        { role: 'tool', content: 'fine in Lima' },
        { role: 'tool', content: 'fine in Oslo' },
      ])
    },
  )

  test('hears of an answer that failed', async () => {
    upstream.script({ text: 'One two three four', end: 'error_nested' })
    const errors: unknown[] = []
    const result = streamText({
      model: model(),
      prompt: 'x',
      onError: ({ error }) => void errors.push(error),
      maxRetries: 0,
    })
    await result.consumeStream()
    expect(errors).toHaveLength(1)
    expect(JSON.stringify(errors)).toContain('The model server failed')
  })
})
