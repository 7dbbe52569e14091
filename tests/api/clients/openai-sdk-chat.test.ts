import OpenAI from 'openai'
import { LengthFinishReasonError } from 'openai/error'
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type GatewayWorld, startGateway } from '../../support/gateway'
import { echoOf, type Script } from '../../support/openai'

// The official client, given nothing but the gateway's address and an API key: chat completions and legacy completions.

let world: GatewayWorld
let openai: OpenAI

beforeAll(async () => {
  world = await startGateway()
  openai = await world.sdk()
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

const model = 'gpt-4.1'
const said = 'Grüße, 世界!'
const messages = [{ role: 'user' as const, content: said }]
const lastBody = () => world.upstream.journal.at(-1)?.body

const weather = {
  type: 'function' as const,
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}
const twoCalls: Script = {
  items: ['Lima', 'Quito'].map((city) => ({
    type: 'function',
    name: 'weather',
    arguments: { city },
    callId: `call_${city}`,
  })),
}
const askedCalls = ['Lima', 'Quito'].map((city) => ({
  id: `call_${city}`,
  type: 'function',
  function: { name: 'weather', arguments: JSON.stringify({ city }) },
}))

describe('chat completions', () => {
  test('whole, with what they used', async () => {
    const whole = await openai.chat.completions.create({ model, messages, temperature: 0.5, seed: 7 })
    expect(whole.choices).toMatchObject([
      { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: echoOf(said) } },
    ])
    expect(whole.usage?.total_tokens).toBeGreaterThan(0)
    expect(lastBody()).toEqual({ model, messages, temperature: 0.5, seed: 7 })
  })

  test('streamed, as chunks that end with why', async () => {
    const chunks = []
    for await (const chunk of await openai.chat.completions.create({ model, messages, stream: true }))
      chunks.push(chunk)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(echoOf(said))
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.filter(({ usage }) => usage)).toEqual([])
    expect(chunks.length).toBeGreaterThan(3)
  })

  test('streamed with the use in a last chunk, for those who ask for it', async () => {
    world.upstream.script({ usage: { input: 321, output: 45, cached: 6 } })
    const stream = await openai.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 321, completion_tokens: 45, prompt_tokens_details: { cached_tokens: 6 } },
    })
  })

  test('by the stream helper, with its events and its end', async () => {
    const deltas: string[] = []
    const names: string[] = []
    const stream = openai.chat.completions
      .stream({ model, messages, stream_options: { include_usage: true } })
      .on('connect', () => names.push('connect'))
      .on('content', (delta) => deltas.push(delta))
      .on('content.done', () => names.push('content.done'))
      .on('finalChatCompletion', () => names.push('finalChatCompletion'))
      .on('end', () => names.push('end'))
    const final = await stream.finalChatCompletion()
    await stream.done()
    expect(deltas.join('')).toBe(echoOf(said))
    expect(final.choices[0]?.message.content).toBe(echoOf(said))
    expect((await stream.totalUsage()).total_tokens).toBeGreaterThan(0)
    expect(names).toEqual(['connect', 'content.done', 'finalChatCompletion', 'end'])
  })

  test('tools that are called in parallel, whole and streamed alike', async () => {
    world.upstream.script(twoCalls, { times: 2 })
    const asked = { model, messages, tools: [weather], parallel_tool_calls: true }
    const whole = await openai.chat.completions.create(asked)
    const streamed = await openai.chat.completions.stream(asked).finalChatCompletion()
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
      expect(choices[0]?.message.tool_calls).toMatchObject(askedCalls)
    }
  })

  test('tools that the client runs itself, until there is an answer', async () => {
    const asked: string[] = []
    world.upstream.script(twoCalls)
    world.upstream.script({ text: 'Warm in both.' })
    const tool = zodFunction({
      name: 'weather',
      parameters: z.object({ city: z.string() }),
      function: async ({ city }: { city: string }) => {
        asked.push(city)
        return `20 °C in ${city}`
      },
    })
    const runner = openai.chat.completions.runTools({ model, messages, tools: [tool] })
    expect(await runner.finalContent()).toBe('Warm in both.')
    expect(asked).toEqual(['Lima', 'Quito'])
    const { messages: told } = lastBody() as { messages: { role: string; content: string }[] }
    expect(told.slice(-2)).toMatchObject([
      { role: 'tool', tool_call_id: 'call_Lima', content: '20 °C in Lima' },
      { role: 'tool', tool_call_id: 'call_Quito', content: '20 °C in Quito' },
    ])
  })

  test('a tool that takes text rather than JSON', async () => {
    world.upstream.script({ items: [{ type: 'custom', name: 'shell', input: 'ls -l' }] })
    const { choices } = await openai.chat.completions.create({
      model,
      messages,
      tools: [{ type: 'custom', custom: { name: 'shell' } }],
    })
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { type: 'custom', custom: { name: 'shell', input: 'ls -l' } },
    ])
  })

  test('several choices, whole and streamed', async () => {
    const texts = [echoOf(said), `${echoOf(said)} (2)`, `${echoOf(said)} (3)`]
    const whole = await openai.chat.completions.create({ model, messages, n: 3 })
    const streamed = await openai.chat.completions.stream({ model, messages, n: 3 }).finalChatCompletion()
    for (const { choices } of [whole, streamed])
      expect(choices.map(({ message }) => message.content)).toEqual(texts)
  })

  test('log probabilities of each token', async () => {
    const { choices } = await openai.chat.completions.create({ model, messages, logprobs: true })
    const tokens = choices[0]?.logprobs?.content ?? []
    expect(tokens.map(({ token }) => token).join('')).toBe(echoOf(said))
    expect(tokens[0]).toMatchObject({ logprob: -0.25, bytes: [...Buffer.from('Echo:')] })
  })

  test('an answer in a schema, parsed, whole and streamed', async () => {
    const Echo = z.object({ echo: z.string() })
    const asked = { model, messages, response_format: zodResponseFormat(Echo, 'echo') }
    const whole = await openai.chat.completions.parse(asked)
    expect(whole.choices[0]?.message.parsed).toEqual({ echo: echoOf(said) })
    const streamed = await openai.chat.completions.stream(asked).finalChatCompletion()
    expect(streamed.choices[0]?.message.parsed).toEqual({ echo: echoOf(said) })
    expect(lastBody()).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { strict: true } },
    })
  })

  test('a refusal, whole and streamed', async () => {
    world.upstream.script({ refusal: 'I would rather not.' }, { times: 2 })
    const whole = await openai.chat.completions.create({ model, messages })
    const streamed = await openai.chat.completions.stream({ model, messages }).finalChatCompletion()
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.message.refusal).toBe('I would rather not.')
      expect(choices[0]?.message.content ?? '').toBe('')
    }
  })

  test('an answer cut short for its length, and one for the filter of contents', async () => {
    const short = await openai.chat.completions.create({ model, messages, max_completion_tokens: 1 })
    expect(short.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Echo:' } })
    world.upstream.script({ end: 'incomplete', reason: 'content_filter', after: 1 })
    const filtered = await openai.chat.completions.create({ model, messages })
    expect(filtered.choices[0]?.finish_reason).toBe('content_filter')
    const parsed = openai.chat.completions.parse({
      model,
      messages,
      max_completion_tokens: 1,
      response_format: zodResponseFormat(z.object({ echo: z.string() }), 'echo'),
    })
    await expect(parsed).rejects.toBeInstanceOf(LengthFinishReasonError)
  })

  test('what only some servers say: their reasoning', async () => {
    world.upstream.script({ reasoning: 'One more thought.', text: 'Done.' })
    const { choices } = await openai.chat.completions.create({ model, messages })
    expect(choices[0]?.message).toMatchObject({ reasoning_content: 'One more thought.', content: 'Done.' })
  })

  test('a failure in the middle of a stream is an error, after what was said', async () => {
    world.upstream.script({
      end: 'error_nested',
      after: 2,
      failure: { code: 'overloaded', message: 'Too much.' },
    })
    const heard: string[] = []
    const listen = async () => {
      for await (const { choices } of await openai.chat.completions.create({ model, messages, stream: true }))
        heard.push(choices[0]?.delta.content ?? '')
    }
    await expect(listen()).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('Too much.'),
    })
    expect(heard.join('').length).toBeGreaterThan(0)
  })

  test('a stream that its reader leaves ends at the model server, too', async () => {
    world.upstream.script({ text: Array.from({ length: 500 }, (_, n) => `word ${n} `), delayMs: 20 })
    const stream = await openai.chat.completions.create({ model, messages, stream: true })
    let heard = 0
    for await (const _ of stream) if (++heard === 5) stream.controller.abort()
    expect(heard).toBe(5)
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
  })

  test('a question that its client gives up before there is an answer ends at the model server, too', async () => {
    world.upstream.script({ firstByteDelayMs: 60_000 })
    const gone = new AbortController()
    const asked = openai.chat.completions.create({ model, messages }, { signal: gone.signal })
    const caught = expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
    await expect.poll(() => world.upstream.journal.length, { timeout: 10_000 }).toBe(1)
    gone.abort()
    await caught
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
  })
})

describe('legacy completions', () => {
  const asked = { model: 'gpt-3.5-turbo-instruct', prompt: 'Once upon' }

  test('whole and streamed', async () => {
    const whole = await openai.completions.create(asked)
    expect(whole).toMatchObject({ object: 'text_completion', choices: [{ text: echoOf('Once upon') }] })
    let text = ''
    for await (const { choices } of await openai.completions.create({ ...asked, stream: true }))
      text += choices[0]?.text ?? ''
    expect(text).toBe(echoOf('Once upon'))
  })

  test('several choices, cut at a length, after the prompt itself', async () => {
    const { choices } = await openai.completions.create({ ...asked, n: 2, max_tokens: 2, echo: true })
    expect(choices).toMatchObject([{ finish_reason: 'length' }, { finish_reason: 'length' }])
    expect(choices[0]?.text).toMatch(/^Once upon/)
  })

  test('streamed with the use in a last chunk', async () => {
    const stream = await openai.completions.create({
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } })
  })
})
