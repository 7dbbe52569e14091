import OpenAI from 'openai'
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod'
import type { ResponseInputItem, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { signUp } from '../../support/client'
import { type GatewayWorld, startGateway } from '../../support/gateway'
import { makeKey } from '../../support/keys'
import { echoOf } from '../../support/openai'

// The official client, given nothing but the gateway's address and an API key: Responses, and all that is done with one.

let world: GatewayWorld
let openai: OpenAI

beforeAll(async () => {
  world = await startGateway()
  openai = await world.sdk()
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

const model = 'gpt-5-mini'
const said = 'Grüße, 世界!'
const lastBody = () => world.upstream.journal.at(-1)?.body

async function hear(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events = []
  for await (const event of stream) events.push(event)
  return events
}

const countUp = (length: number) => Array.from({ length }, (_, index) => index)

describe('a response', () => {
  test('whole', async () => {
    const response = await openai.responses.create({ model, input: said, metadata: { trip: 'north' } })
    expect(response).toMatchObject({
      status: 'completed',
      output_text: echoOf(said),
      metadata: { trip: 'north' },
    })
    expect(response.usage?.total_tokens).toBeGreaterThan(0)
    expect(lastBody()).toEqual({ model, input: said, metadata: { trip: 'north' } })
  })

  test('streamed, its events numbered without a gap', async () => {
    const events = await hear(await openai.responses.create({ model, input: said, stream: true }))
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(countUp(events.length))
    const deltas = events.flatMap((event) => (event.type === 'response.output_text.delta' ? event.delta : []))
    expect(deltas.join('')).toBe(echoOf(said))
    expect(events[0]?.type).toBe('response.created')
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } })
  })

  test('by the stream helper, with its snapshots and its end', async () => {
    const snapshots: string[] = []
    const stream = openai.responses
      .stream({ model, input: said })
      .on('response.output_text.delta', ({ snapshot }) => snapshots.push(snapshot))
    const final = await stream.finalResponse()
    expect(final.output_text).toBe(echoOf(said))
    expect(snapshots.at(-1)).toBe(echoOf(said))
    expect(snapshots.length).toBeGreaterThan(1)
  })

  test('with tools, one of functions and one of text, streamed and whole', async () => {
    const items = [
      { type: 'function' as const, name: 'weather', arguments: { city: 'Lima' }, callId: 'call_1' },
      { type: 'custom' as const, name: 'shell', input: 'ls -l', callId: 'call_2' },
    ]
    const tools = [
      zodResponsesFunction({ name: 'weather', parameters: z.object({ city: z.string() }) }),
      { type: 'custom' as const, name: 'shell' },
    ]
    world.upstream.script({ items }, { times: 2 })
    const whole = await openai.responses.parse({ model, input: said, tools })
    const streamed = await openai.responses.stream({ model, input: said, tools }).finalResponse()
    for (const { output } of [whole, streamed])
      expect(output).toMatchObject([
        { type: 'function_call', call_id: 'call_1', parsed_arguments: { city: 'Lima' } },
        { type: 'custom_tool_call', call_id: 'call_2', input: 'ls -l' },
      ])
  })

  test('with tools that the server runs itself', async () => {
    world.upstream.script({
      items: [
        { type: 'web_search', query: 'AL-Chat' },
        { type: 'code_interpreter', code: 'print(6*7)', logs: '42' },
        { type: 'text', text: '42.' },
      ],
    })
    const final = await openai.responses
      .stream({ model, input: said, tools: [{ type: 'web_search' }] })
      .finalResponse()
    expect(final.output.map(({ type }) => type)).toEqual([
      'web_search_call',
      'code_interpreter_call',
      'message',
    ])
    expect(final.output_text).toBe('42.')
  })

  test('with its reasoning, sealed for the next turn', async () => {
    world.upstream.script({ reasoning: ['First.', 'Second.'], text: 'So it is.' })
    const response = await openai.responses.create({
      model,
      input: said,
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    })
    expect(response.output[0]).toMatchObject({
      type: 'reasoning',
      summary: [{ text: 'First.' }, { text: 'Second.' }],
      encrypted_content: expect.stringMatching(/^gAAAAAB/),
    })
    const next = await openai.responses.create({
      model,
      input: [...(response.output as ResponseInputItem[]), { role: 'user', content: 'Go on' }],
      store: false,
    })
    expect(next.output_text).toBe(echoOf('Go on'))
    expect((lastBody() as { input: unknown[] }).input[0]).toEqual(response.output[0])
  })

  test('in a schema, parsed, whole and streamed', async () => {
    const text = { format: zodTextFormat(z.object({ echo: z.string() }), 'echo') }
    const whole = await openai.responses.parse({ model, input: said, text })
    const streamed = await openai.responses.stream({ model, input: said, text }).finalResponse()
    for (const { output_parsed } of [whole, streamed]) expect(output_parsed).toEqual({ echo: echoOf(said) })
  })

  test('refused, cut short, and failed', async () => {
    world.upstream.script({ refusal: 'I would rather not.' })
    const refused = await openai.responses.create({ model, input: said })
    expect(refused.output.at(-1)).toMatchObject({
      content: [{ type: 'refusal', refusal: 'I would rather not.' }],
    })
    world.upstream.script({ end: 'incomplete', after: 1 })
    const short = await openai.responses.create({ model, input: said })
    expect(short).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
    world.upstream.script({ end: 'failed', failure: { code: 'server_error', message: 'Too much.' } })
    const events = await hear(await openai.responses.create({ model, input: said, stream: true }))
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'server_error', message: 'Too much.' } },
    })
  })

  test('that its reader leaves ends at the model server, too', async () => {
    world.upstream.script({ text: Array.from({ length: 500 }, (_, n) => `word ${n} `), delayMs: 20 })
    const stream = await openai.responses.create({ model, input: said, stream: true })
    let heard = 0
    for await (const _ of stream) if (++heard === 8) stream.controller.abort()
    expect(heard).toBe(8)
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
  })

  test('can be retrieved, continued, read back and deleted', async () => {
    const first = await openai.responses.create({ model, input: 'My name is Ada.' })
    const second = await openai.responses.create({
      model,
      input: 'What is it?',
      previous_response_id: first.id,
    })
    expect(second.previous_response_id).toBe(first.id)
    const { output_text: _, ...kept } = await openai.responses.retrieve(second.id)
    expect(second).toMatchObject(kept)
    const items = []
    for await (const item of openai.responses.inputItems.list(second.id, { order: 'asc', limit: 1 }))
      items.push(item)
    expect(items.map((item) => ('role' in item ? item.role : item.type))).toContain('user')
    expect(JSON.stringify(items)).toContain('My name is Ada.')
    expect(JSON.stringify(items)).toContain('What is it?')
    await openai.responses.delete(first.id)
    const gone = openai.responses.retrieve(first.id)
    await expect(gone).rejects.toMatchObject({ status: 404, type: 'invalid_request_error' })
    const lost = openai.responses.create({ model, input: 'And?', previous_response_id: first.id })
    await expect(lost).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
  })

  test('can be made short with what was said before it, and gone on from there', async () => {
    const first = await openai.responses.create({ model, input: 'The word is cobalt.' })
    const compacted = await openai.responses.compact({
      model: 'gpt-5-mini',
      input: 'Make this short.',
      previous_response_id: first.id,
    })
    expect(compacted).toMatchObject({ object: 'response.compaction', usage: { output_tokens: 50 } })
    expect(compacted.output.at(-1)).toMatchObject({ type: 'compaction' })
    const input = [
      ...(compacted.output as ResponseInputItem[]),
      { role: 'user' as const, content: 'The word?' },
    ]
    expect((await openai.responses.create({ model, input })).output_text).toBe(echoOf('The word?'))
    expect((lastBody() as { input: unknown[] }).input).toEqual(input)
  })

  test('is its maker’s alone', async () => {
    const mine = await openai.responses.create({ model, input: said })
    const stranger = await signUp(world.server.url, 'stranger')
    const { key } = await makeKey(stranger, { scopes: ['gateway'] })
    const theirs = new OpenAI({ baseURL: openai.baseURL, apiKey: key, maxRetries: 0 })
    const asked = world.upstream.journal.length
    await expect(theirs.responses.retrieve(mine.id)).rejects.toMatchObject({ status: 404 })
    await expect(theirs.responses.delete(mine.id)).rejects.toMatchObject({ status: 404 })
    await expect(theirs.responses.cancel(mine.id)).rejects.toMatchObject({ status: 404 })
    await expect(theirs.responses.inputItems.list(mine.id)).rejects.toMatchObject({ status: 404 })
    const next = theirs.responses.create({ model, input: said, previous_response_id: mine.id })
    await expect(next).rejects.toMatchObject({ status: 400, param: 'previous_response_id' })
    const short = theirs.responses.compact({ model: 'gpt-5-mini', previous_response_id: mine.id })
    await expect(short).rejects.toMatchObject({ status: 400, param: 'previous_response_id' })
    expect(world.upstream.journal).toHaveLength(asked)
  })
})

describe('a response in the background', () => {
  const words = ['One ', 'two ', 'three ', 'four ', 'five.']

  test('goes on when its reader leaves, and tells the rest after any event', async () => {
    world.upstream.script({ text: words, delayMs: 50 })
    const stream = await openai.responses.create({ model, input: said, background: true, stream: true })
    let id = ''
    for await (const event of stream) {
      if (event.type === 'response.created') id = event.response.id
      if (event.sequence_number === 3) break
    }
    const all = await hear(await openai.responses.retrieve(id, { stream: true }))
    expect(all.map(({ sequence_number }) => sequence_number)).toEqual(countUp(all.length))
    for (const event of all) {
      const after = { stream: true as const, starting_after: event.sequence_number }
      expect(await hear(await openai.responses.retrieve(id, after))).toEqual(
        all.slice(event.sequence_number + 1),
      )
    }
    expect((await openai.responses.retrieve(id)).output_text).toBe(words.join(''))
  })

  test('can be taken up by the stream helper', async () => {
    world.upstream.script({ text: words })
    const { id } = await openai.responses
      .create({ model, input: said, background: true, stream: true })
      .then(async (stream) => {
        const [created] = await hear(stream)
        return created?.type === 'response.created' ? created.response : { id: '' }
      })
    const final = await openai.responses.stream({ response_id: id, starting_after: 4 }).finalResponse()
    expect(final.output_text).toBe(words.join(''))
  })

  test('is queued, then in progress, then completed', async () => {
    world.upstream.script({ text: words, delayMs: 20, queuedMs: 200 })
    const { id, status } = await openai.responses.create({ model, input: said, background: true })
    expect(status).toBe('queued')
    const look = async () => (await openai.responses.retrieve(id)).status
    await expect.poll(look, { timeout: 10_000 }).toBe('completed')
  })

  test('can be cancelled; another cannot', async () => {
    world.upstream.script({ text: Array.from({ length: 500 }, () => 'on and '), delayMs: 20 })
    const { id } = await openai.responses.create({ model, input: said, background: true })
    expect((await openai.responses.cancel(id)).status).toBe('cancelled')
    expect((await openai.responses.retrieve(id)).status).toBe('cancelled')
    const inFront = await openai.responses.create({ model, input: said })
    await expect(openai.responses.cancel(inFront.id)).rejects.toMatchObject({ status: 400 })
  })
})
