import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import type { ResponseStreamEvent } from 'openai/resources/responses/responses'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { echoOf, type OpenAIServer, type ScriptItem, startOpenAI } from '../support/openai.ts'
import { callRaw } from '../support/raw-stream.ts'

let server: OpenAIServer
let client: OpenAI

beforeAll(async () => {
  server = await startOpenAI()
  client = new OpenAI({ apiKey: 'sk-test-state', baseURL: server.baseUrl, maxRetries: 0, logLevel: 'off' })
})
afterEach(() => server.reset())
afterAll(() => server.close())

const model = 'gpt-4.1'

async function collect(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = []
  try {
    for await (const event of stream) events.push(event)
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
  return events
}

const textOf = (events: ResponseStreamEvent[]) =>
  events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')

describe('a response that was stored', () => {
  test('is retrieved as it was answered, listed with its input, and deleted', async () => {
    const first = await client.responses.create({ model, input: 'one' })
    const { output_text: _text, ...kept } = await client.responses.retrieve(first.id)
    expect(first).toMatchObject(kept)
    const second = await client.responses.create({ model, input: 'two', previous_response_id: first.id })
    const { data } = await client.responses.inputItems.list(second.id, { order: 'asc' })
    expect(data.map((item) => 'role' in item && item.role)).toEqual(['user', 'assistant', 'user'])
    await client.responses.delete(first.id)
    await expect(client.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 })
  })

  test('is needed where another refers to it', async () => {
    const { id } = await client.responses.create({ model, input: 'one', store: false })
    const next = client.responses.create({ model, input: 'two', previous_response_id: id })
    await expect(next).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
  })

  test('cannot be cancelled or streamed again when it was not in the background', async () => {
    const { id } = await client.responses.create({ model, input: 'one' })
    await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 400 })
    await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({ status: 400 })
  })

  test('is not there when its stream died with the connection', async () => {
    server.script({ end: 'cut_mid_event', close: 'abrupt' })
    const stream = await client.responses.create({ model, input: 'one two three', stream: true })
    const [created] = await collect(stream)
    const id = created?.type === 'response.created' ? created.response.id : ''
    expect(id).toMatch(/^resp_/)
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
  })
})

describe('a response in the background', () => {
  test('goes from queued over in_progress to completed', async () => {
    server.script({ queuedMs: 100, delayMs: 60 })
    const { id, status } = await client.responses.create({ model, input: 'one two three', background: true })
    const seen = new Set([status])
    await expect
      .poll(
        async () => {
          const now = await client.responses.retrieve(id)
          seen.add(now.status)
          return now.output_text
        },
        { interval: 5 },
      )
      .toBe(echoOf('one two three'))
    expect([...seen]).toEqual(['queued', 'in_progress', 'completed'])
  })

  test('goes on when its stream is cut, and is resumed after the number given', async () => {
    server.script({ end: 'cut_mid_event', delayMs: 2, text: ['a', 'b', 'c', 'd', 'e', 'f'] })
    const stream = await client.responses.create({ model, input: 'x', background: true, stream: true })
    const before = await collect(stream)
    const first = before[0]
    const id = first?.type === 'response.created' ? first.response.id : ''
    const last = before.at(-1)?.sequence_number ?? -1
    const after = await collect(await client.responses.retrieve(id, { stream: true, starting_after: last }))
    const all = [...before, ...after]
    expect(all.map((event) => event.sequence_number)).toEqual(all.map((_, index) => index))
    expect([textOf(before).length > 0, textOf(all)]).toEqual([true, 'abcdef'])
    expect(all.at(-1)?.type).toBe('response.completed')
    expect(before.slice(0, 3).map(({ type }) => type)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
    ])
  })

  test('stops when it is cancelled', async () => {
    server.script({ delayMs: 20, text: Array.from({ length: 500 }, () => 'x') })
    const { id } = await client.responses.create({ model, input: 'x', background: true })
    expect((await client.responses.cancel(id)).status).toBe('cancelled')
    expect((await client.responses.retrieve(id)).status).toBe('cancelled')
  })
})

describe('items of a response', () => {
  const items: [ScriptItem, string[]][] = [
    [{ type: 'reasoning', summary: ['Part one.', 'Part two.'] }, ['reasoning_summary_text.delta']],
    [{ type: 'reasoning', text: 'As it is.' }, ['reasoning_text.delta', 'reasoning_text.done']],
    [{ type: 'refusal', refusal: 'No, thanks.' }, ['refusal.delta', 'refusal.done']],
    [{ type: 'function', name: 'f', arguments: { a: 1 } }, ['function_call_arguments.delta']],
    [{ type: 'custom', name: 'c', input: 'SELECT 1' }, ['custom_tool_call_input.done']],
    [{ type: 'web_search', query: 'q', sources: ['https://a.invalid'] }, ['web_search_call.searching']],
    [{ type: 'file_search', queries: ['q'] }, ['file_search_call.searching']],
    [{ type: 'code_interpreter', code: 'print(1)', logs: '1' }, ['code_interpreter_call.interpreting']],
    [{ type: 'image_generation', partials: 2 }, ['image_generation_call.partial_image']],
    [{ type: 'mcp_list_tools', server: 's' }, ['mcp_list_tools.completed']],
    [{ type: 'mcp_call', server: 's', name: 'n', arguments: '{}', output: 'ok' }, ['mcp_call.completed']],
    [{ type: 'mcp_call', server: 's', name: 'n', arguments: '{}', error: 'no' }, ['mcp_call.failed']],
    [{ type: 'mcp_approval', server: 's', name: 'n', arguments: '{}' }, []],
  ]

  test('of every kind come with their events, under one id each, and stand in the answer', async () => {
    server.script({ items: [...items.map(([item]) => item), { type: 'text', text: 'Done.' }] })
    const stream = await client.responses.create({ model, input: 'x', stream: true })
    const events = await collect(stream)
    const types = new Set<string>(events.map(({ type }) => type))
    for (const type of items.flatMap(([, each]) => each)) expect(types).toContain(`response.${type}`)
    const done = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event] : []))
    expect(done.map((event) => event.output_index)).toEqual([...items.keys(), items.length])
    for (const event of events) {
      if ('item_id' in event) expect(event.item_id).toBe(done[event.output_index]?.item.id)
    }
    const last = events.at(-1)
    expect(last?.type === 'response.completed' && last.response.output).toEqual(done.map(({ item }) => item))
  })

  test('begin with an empty reasoning item where models reason, secret only when asked for', async () => {
    const plain = await client.responses.create({ model: 'gpt-5-nano', input: 'x' })
    expect(plain.output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    expect(plain.output[0]).not.toHaveProperty('encrypted_content')
    const include = ['reasoning.encrypted_content' as const]
    const secret = await client.responses.create({ model: 'gpt-5-nano', input: 'x', include })
    expect(secret.output[0]).toMatchObject({ encrypted_content: expect.stringMatching(/^gAAAAA/) })
  })

  test('are cut off at max_output_tokens', async () => {
    const input = 'word '.repeat(30)
    const { status, output_text } = await client.responses.create({ model, input, max_output_tokens: 16 })
    expect([status, output_text]).toEqual(['incomplete', `Echo:${' word'.repeat(15)}`])
  })
})

describe('the server itself', () => {
  test('replays a recording byte for byte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'al-replay-'))
    const body = 'event: a\ndata: {"x":-0.0,"y":1.50}\n\nevent: b\r\ndata: {"z" : 1e-7}\n\n'
    await writeFile(join(folder, 'response.body'), body)
    await writeFile(join(folder, 'meta.json'), '{"status":200,"sse":true}')
    await writeFile(join(folder, 'response.headers.json'), '{"openai-processing-ms":["541"]}')
    server.script({ replay: folder, split: 'bytes' })
    const answer = await callRaw({ url: `${server.baseUrl}/responses`, body: { model, stream: true } })
    await rm(folder, { recursive: true })
    expect(answer.bytes.toString()).toBe(body)
    expect(answer.headers).toMatchObject({ 'openai-processing-ms': '541' })
  })

  test('notes every request, also those it refused', async () => {
    await client.responses.create({ model, input: 'x' }, { headers: { 'x-mark': 'm1' } })
    await callRaw({ url: `${server.baseUrl}/models?limit=2`, key: 'wrong' })
    expect(server.journal).toMatchObject([
      {
        method: 'POST',
        path: '/v1/responses',
        headers: { 'x-mark': 'm1' },
        body: { model, input: 'x' },
        status: 200,
      },
      { method: 'GET', path: '/v1/models?limit=2', headers: { authorization: 'Bearer wrong' }, status: 401 },
    ])
  })

  test('keeps no more of journal and body than it was told, and closes what is open', async () => {
    const small = await startOpenAI({ journalLimit: 2, bodyLimitBytes: 1000 })
    const url = `${small.baseUrl}/responses`
    expect((await callRaw({ url, body: { model, input: 'x'.repeat(1000) } })).status).toBe(413)
    for (const input of ['1', '2', '3']) await callRaw({ url, body: { model, input } })
    expect(small.journal.map(({ body }) => body)).toMatchObject([{ input: '2' }, { input: '3' }])
    small.script({ end: 'stall' })
    const stalled = callRaw({ url, body: { model, input: '4', stream: true } })
    await expect.poll(() => small.journal.at(-1)?.body).toMatchObject({ input: '4' })
    const idle = connect(small.port, '127.0.0.1')
    await once(idle, 'connect')
    await Promise.all([small.close(), once(idle, 'close')])
    await expect(stalled.then(({ complete }) => complete)).resolves.toBe(false)
    expect(small.journal.at(-1)?.closedByClientAt).toBeUndefined()
  })

  test('is steered from another process', async () => {
    const node = join(import.meta.dirname, '../../node_modules/.bin/node')
    const cli = spawn(node, [join(import.meta.dirname, '../support/openai-cli.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(cli.stdout.setEncoding('utf8'), 'data')
    const origin = new URL(String(line).slice('OpenAI for tests: '.length)).origin
    const steer = async (call: string, body?: object) =>
      (
        await fetch(`${origin}/__control/${call}`, body && { method: 'POST', body: JSON.stringify(body) })
      ).json()
    await steer('script', { text: 'steered', times: 'always' })
    const far = client.withOptions({ baseURL: `${origin}/v1` })
    expect((await far.responses.create({ model, input: 'x' })).output_text).toBe('steered')
    expect(await steer('journal')).toMatchObject([{ path: '/v1/responses' }])
    await steer('reset', {})
    expect(await steer('journal')).toEqual([])
    cli.kill('SIGTERM')
    expect(await once(cli, 'exit')).toEqual([0, null])
  })
})
