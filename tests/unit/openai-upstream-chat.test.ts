import OpenAI, { toFile } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type End, echoOf, type OpenAIServer, startOpenAI } from '../support/openai.ts'
import { callRaw, readSse } from '../support/raw-stream.ts'

let server: OpenAIServer
let client: OpenAI

beforeAll(async () => {
  server = await startOpenAI()
  client = new OpenAI({ apiKey: 'sk-test-chat', baseURL: server.baseUrl, maxRetries: 0, logLevel: 'off' })
})
afterEach(() => server.reset())
afterAll(() => server.close())

const question = 'Was ist größer, eins oder zwei?'
const messages = [{ role: 'user' as const, content: question }]
const ask = (body: object = {}, path = '/chat/completions') => ({
  url: server.baseUrl + path,
  body: { model: 'gpt-4.1', messages, stream: true, ...body },
})

describe('chat completions on the wire', () => {
  test('are data lines alone, ended by [DONE], each chunk alike', async () => {
    const { bytes } = await callRaw(ask())
    expect(bytes.toString()).toMatch(/^(data: \{[^\n]*\}\n\n)+data: \[DONE\]\n\n$/)
    const chunks = readSse(bytes.toString()).slice(0, -1)
    const keys = chunks.map(({ data }) => Object.keys(JSON.parse(data)).join())
    expect(new Set(keys)).toEqual(
      new Set(['id,object,created,model,service_tier,system_fingerprint,choices,obfuscation']),
    )
  })

  test.each<[End, (wire: string) => boolean]>([
    ['cut_before_end', (wire) => !wire.includes('"finish_reason":"stop"') && !wire.includes('[DONE]')],
    ['no_done', (wire) => wire.includes('"finish_reason":"stop"') && !wire.includes('[DONE]')],
    ['error_nested', (wire) => /data: \{"error":\{"message":"Too much."[^\n]*\n\n$/.test(wire)],
    ['error_flat', (wire) => /data: \{"object":"error","message":"Too much."[^\n]*\n\n$/.test(wire)],
    ['cut_mid_event', (wire) => !wire.endsWith('\n\n')],
    ['malformed', (wire) => wire.includes('"delta":"oops\n\n') && wire.endsWith('data: [DONE]\n\n')],
  ])('can end with %s', async (end, holds) => {
    server.script({ end, failure: { code: 'x', message: 'Too much.' } })
    expect(holds((await callRaw(ask())).bytes.toString())).toBe(true)
  })
})

describe('chat completions for the official client', () => {
  test('stream the echo and, when asked, the usage', async () => {
    const stream = client.chat.completions.stream({
      model: 'gpt-4.1',
      messages,
      stream_options: { include_usage: true },
    })
    const whole = await stream.finalChatCompletion()
    expect(whole.choices[0]?.message.content).toBe(echoOf(question))
    expect(whole.usage?.total_tokens).toBe(
      Number(whole.usage?.prompt_tokens) + Number(whole.usage?.completion_tokens),
    )
  })

  test('give n choices, streamed by turns', async () => {
    const whole = await client.chat.completions
      .stream({ model: 'gpt-4.1', messages, n: 3 })
      .finalChatCompletion()
    expect(whole.choices.map(({ message }) => message.content)).toEqual([
      echoOf(question),
      `${echoOf(question)} (2)`,
      `${echoOf(question)} (3)`,
    ])
  })

  test('call tools in parallel, whole and streamed alike', async () => {
    const items = ['Rom', 'Bern'].map((city) => {
      return {
        type: 'function' as const,
        name: 'weather',
        arguments: { city, note: 'größe' },
        callId: `call_${city}`,
      }
    })
    server.script({ items }, { times: 2 })
    const streamed = await client.chat.completions
      .stream({ model: 'gpt-4.1', messages })
      .finalChatCompletion()
    const whole = await client.chat.completions.create({ model: 'gpt-4.1', messages })
    for (const { choices } of [streamed, whole]) {
      expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
      expect(choices[0]?.message.tool_calls).toMatchObject([
        { id: 'call_Rom', function: { name: 'weather', arguments: '{"city":"Rom","note":"größe"}' } },
        { id: 'call_Bern', function: { name: 'weather', arguments: '{"city":"Bern","note":"größe"}' } },
      ])
    }
  })

  test('stop for length, give log probabilities, refuse and reason', async () => {
    const short = await client.chat.completions.create({
      model: 'gpt-4.1',
      messages,
      max_completion_tokens: 2,
      logprobs: true,
    })
    expect(short.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Echo: Was' } })
    expect(short.choices[0]?.logprobs?.content?.map(({ token }) => token)).toEqual(['Echo:', ' Was'])
    server.script({ refusal: 'No.', reasoning: 'Thinking.' })
    const refused = await client.chat.completions.create({ model: 'gpt-4.1', messages })
    expect(refused.choices[0]?.message).toMatchObject({
      content: null,
      refusal: 'No.',
      reasoning_content: 'Thinking.',
    })
  })

  test('stop for the content filter when told so', async () => {
    server.script({ end: 'incomplete', reason: 'content_filter', after: 1 })
    const { choices } = await client.chat.completions.create({ model: 'gpt-4.1', messages })
    expect(choices[0]).toMatchObject({ finish_reason: 'content_filter', message: { content: 'Echo:' } })
  })

  test('answer a forced tool and JSON on request', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'save', parameters: {} } }]
    const forced = await client.chat.completions.create({
      model: 'gpt-4.1',
      messages,
      tools,
      tool_choice: 'required',
    })
    expect(forced.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'save' } })
    const json = await client.chat.completions.create({
      model: 'gpt-4.1',
      messages,
      response_format: { type: 'json_object' },
    })
    expect(JSON.parse(json.choices[0]?.message.content ?? '')).toEqual({ echo: echoOf(question) })
  })

  test('fail whole as they fail streamed', async () => {
    server.script({ end: 'failed' }, { times: 2 })
    await expect(client.chat.completions.create({ model: 'gpt-4.1', messages })).rejects.toMatchObject({
      status: 500,
    })
    const stream = client.chat.completions.stream({ model: 'gpt-4.1', messages })
    await expect(stream.finalChatCompletion()).rejects.toThrow(OpenAI.APIError)
  })
})

test('pieces of any framing are streamed as they are', async () => {
  server.script({ raw: [': OPENROUTER PROCESSING\n\n', 'data:{"choices":[]}\r\n\r\n', 'data: [DONE]'] })
  const { bytes, headers } = await callRaw(ask())
  expect(bytes.toString()).toBe(': OPENROUTER PROCESSING\n\ndata:{"choices":[]}\r\n\r\ndata: [DONE]')
  expect(headers['content-type']).toContain('text/event-stream')
  server.script({ raw: ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n'], end: 'reset', after: 2 })
  const broken = await callRaw(ask())
  expect([broken.complete, broken.bytes.toString()]).toEqual([false, 'data: 1\n\ndata: 2\n\n'])
})

test('legacy completions give their text, streamed and whole, with the finish on the last piece', async () => {
  const model = 'gpt-3.5-turbo-instruct'
  const stream = await client.completions.create({ model, prompt: 'one two', stream: true })
  const pieces: (string | undefined)[] = []
  let finish = ''
  for await (const { choices } of stream) {
    pieces.push(choices[0]?.text)
    finish = choices[0]?.finish_reason ?? ''
  }
  expect([pieces.join(''), finish]).toEqual([echoOf('one two'), 'stop'])
  const whole = await client.completions.create({ model, prompt: 'one two', max_tokens: 2, n: 2 })
  expect(whole.choices.map(({ text, finish_reason }) => [text, finish_reason])).toEqual([
    ['Echo: one', 'length'],
    ['Echo: one', 'length'],
  ])
})

describe('the other calls', () => {
  test('embeddings are unit vectors, the same as floats and as base64, of the size asked for', async () => {
    const model = 'text-embedding-3-small'
    const floats = await client.embeddings.create({ model, input: ['a', 'b'], encoding_format: 'float' })
    const base64 = await client.embeddings.create({ model, input: ['a', 'b'] })
    expect(floats.data.map(({ embedding }) => embedding.length)).toEqual([1536, 1536])
    expect(floats.data.map(({ embedding }) => embedding.map((value) => value + 0))).toEqual(
      base64.data.map(({ embedding }) => embedding.map((value) => value + 0)),
    )
    expect(Math.hypot(...(floats.data[0]?.embedding ?? []))).toBeCloseTo(1, 5)
    expect(floats.data[0]?.embedding).not.toEqual(floats.data[1]?.embedding)
    const small = await client.embeddings.create({ model, input: 'a', dimensions: 8 })
    expect(small.data[0]?.embedding).toHaveLength(8)
    const raw = await callRaw({ url: `${server.baseUrl}/embeddings`, body: { model, input: 'a' } })
    expect(raw.bytes.toString()).toContain('-0.0]')
  })

  test('files go up, are listed, come back byte for byte, and are deleted', async () => {
    const content = Buffer.from('{"a":1}\r\n--x\r\n\0ÿ')
    const file = await client.files.create({
      file: await toFile(content, 'größe.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    })
    expect(file).toMatchObject({
      filename: 'größe.jsonl',
      bytes: content.length,
      expires_at: file.created_at + 3600,
    })
    expect((await client.files.list({ purpose: 'batch' })).data.map(({ id }) => id)).toEqual([file.id])
    expect((await client.files.list({ purpose: 'vision' })).data).toEqual([])
    expect(Buffer.from(await (await client.files.content(file.id)).arrayBuffer())).toEqual(content)
    expect(await client.files.delete(file.id)).toMatchObject({ deleted: true })
    await expect(client.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 })
  })

  test('files with a purpose that is none, or that may not be downloaded, are refused', async () => {
    const upload = async (purpose: string) =>
      client.files.create({ file: await toFile(Buffer.from('x'), 'x.txt'), purpose: purpose as 'assistants' })
    await expect(upload('fun')).rejects.toMatchObject({ status: 400, param: 'purpose' })
    const { id } = await upload('user_data')
    await expect(client.files.content(id)).rejects.toMatchObject({ status: 400 })
  })

  test('models are listed and found, images are made, texts are judged', async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toContain('gpt-5-nano')
    expect(await client.models.retrieve('gpt-4o')).toMatchObject({ id: 'gpt-4o', object: 'model' })
    await expect(client.models.retrieve('no-such')).rejects.toMatchObject({ status: 404 })
    const images = await client.images.generate({ model: 'gpt-image-1', prompt: 'a cat', n: 2 })
    expect(images.data?.map(({ b64_json }) => b64_json?.slice(0, 8))).toEqual(['iVBORw0K', 'iVBORw0K'])
    const { results } = await client.moderations.create({ input: ['fine', 'bad {violence}'] })
    expect(results.map(({ flagged }) => flagged)).toEqual([false, true])
    expect(results[1]?.categories.violence).toBe(true)
  })
})
