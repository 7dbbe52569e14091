import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Client, signUp } from '../support/client'
import { type GatewayWorld, startGateway, upstreamKey } from '../support/gateway'
import { makeKey } from '../support/keys'
import type { Script } from '../support/openai'
import { getBytes, readEvents, readLedger, refusalOf, type StreamEvent } from '../support/responses'
import type { TestServer } from '../support/server'

/*
 * Responses that OpenAI keeps: they pass through as they are, belong to whoever made them, and what one in the background
 * used is written down once, at its end, whoever heard of it.
 */

const model = 'gpt-5-mini'
const input = 'Tell me of the sea'
const words = (count: number) => Array.from({ length: count }, (_, index) => `word${index} `)

let world: GatewayWorld

beforeAll(async () => {
  world = await startGateway()
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

const sdkOf = (key: string) => new OpenAI({ baseURL: `${world.server.url}/v1`, apiKey: key, maxRetries: 0 })

async function keyOf(user: Client, more: object = {}) {
  const { key, id } = await makeKey(user, { scopes: ['gateway'], ...more })
  return Object.assign(sdkOf(key), { key, keyId: id })
}

/** The same address at the model server itself. */
const direct = (path: string) => getBytes(`${world.upstream.baseUrl}${path}`, upstreamKey)
const through = (path: string, key: string) => getBytes(`${world.server.url}/v1${path}`, key)

test('the official client makes, retrieves, lists the input of and deletes a response', async () => {
  const openai = await world.sdk()
  const made = await openai.responses.create({ model, input })
  expect((await openai.responses.retrieve(made.id)).output).toEqual(made.output)
  const items = await openai.responses.inputItems.list(made.id)
  expect(items.data).toMatchObject([{ type: 'message', role: 'user' }])
  const next = await openai.responses.create({ model, input: 'And then?', previous_response_id: made.id })
  expect(next.previous_response_id).toBe(made.id)
  for (const path of [`/responses/${made.id}`, `/responses/${made.id}/input_items?order=asc&limit=1`])
    expect(await through(path, openai.key)).toEqual(await direct(path))
  await openai.responses.delete(made.id)
  expect(await refusalOf(openai.responses.retrieve(made.id))).toMatchObject({ status: 404 })
  expect((await direct(`/responses/${made.id}`)).status).toBe(404)
  expect(await readLedger(world, openai.keyId, 2)).toMatchObject([{ estimated: false }, { estimated: false }])
})

test('a stream names a response that can be retrieved once it is over', async () => {
  const openai = await world.sdk()
  const events = await readEvents(await openai.responses.create({ model, input, stream: true }))
  const last = events.at(-1) as StreamEvent & { response: { id: string } }
  expect(last.type).toBe('response.completed')
  expect((await openai.responses.retrieve(last.response.id)).status).toBe('completed')
  expect(await refusalOf(openai.responses.cancel(last.response.id))).toMatchObject({ status: 400 })
})

describe('a response in the background', () => {
  test('is followed from every event on, byte for byte, while it is written and when it is over', async () => {
    const openai = await world.sdk()
    world.upstream.script({ text: words(30), delayMs: 15, unknownEvents: true })
    const stream = await openai.responses.create({ model, input, background: true, stream: true })
    const all: StreamEvent[] = []
    const early: Promise<StreamEvent[]>[] = []
    let id = ''
    for await (const event of stream as AsyncIterable<unknown>) {
      const known = event as StreamEvent & { response?: { id: string } }
      id ||= known.response?.id ?? ''
      all.push(known)
      if (all.length % 9 === 1)
        early.push(
          openai.responses
            .retrieve(id, { stream: true, starting_after: known.sequence_number })
            .then((follower) => readEvents(follower)),
        )
    }
    expect(all.map(({ sequence_number }) => sequence_number)).toEqual(all.map((_, index) => index))
    for (const [index, events] of (await Promise.all(early)).entries())
      expect(events).toEqual(all.slice(index * 9 + 1))
    for (let after = 0; after <= all.length + 1; after++) {
      const follower = await openai.responses.retrieve(id, { stream: true, starting_after: after })
      expect(await readEvents(follower), `after ${after}`).toEqual(all.slice(after + 1))
    }
    const path = `/responses/${id}?stream=true&starting_after=3`
    expect(await through(path, openai.key)).toEqual(await direct(path))
    expect(await readLedger(world, openai.keyId, 1)).toMatchObject([
      { outcome: 'completed', estimated: false },
    ])
  })

  test('is paid for once though nobody listens, by what its server says at its end', async () => {
    const openai = await world.sdk()
    world.upstream.script({ text: words(40), delayMs: 20, usage: { input: 1234, output: 567 } }, { times: 2 })
    const whole = await openai.responses.create({ model, input, background: true })
    expect(whole.status).toBe('queued')
    const gone = new AbortController()
    const stream = await openai.responses.create(
      { model, input, background: true, stream: true },
      { signal: gone.signal },
    )
    for await (const _ of stream) break
    gone.abort()
    const rows = await readLedger(world, openai.keyId, 2)
    const told = { input_tokens: 1234, output_tokens: 567, estimated: false, outcome: 'completed' }
    expect(rows).toMatchObject([told, told])
    expect((await openai.responses.retrieve(whole.id)).status).toBe('completed')
    await readLedger(world, openai.keyId, 2)
  })

  test('holds what was set aside for it until then', async () => {
    const openai = await world.sdk({ budget_usd: 0.004 })
    world.upstream.script({ text: words(60), delayMs: 20, usage: { input: 100, output: 100 } })
    const ask = () => openai.responses.create({ model, input, background: true, max_output_tokens: 1500 })
    const made = await ask()
    expect(await refusalOf(ask())).toMatchObject({ status: 429, code: 'insufficient_quota' })
    const status = async () => (await openai.responses.retrieve(made.id)).status
    await expect.poll(status, { timeout: 20_000 }).toBe('completed')
    await readLedger(world, openai.keyId, 1)
    expect((await ask()).status).toBe('queued')
    await readLedger(world, openai.keyId, 2)
  })

  test('is cancelled, again too, and written down once', async () => {
    const openai = await world.sdk()
    world.upstream.script({ text: words(400), delayMs: 20 })
    const { id } = await openai.responses.create({ model, input, background: true })
    expect((await openai.responses.cancel(id)).status).toBe('cancelled')
    expect((await openai.responses.cancel(id)).status).toBe('cancelled')
    expect((await openai.responses.retrieve(id)).status).toBe('cancelled')
    expect(await readLedger(world, openai.keyId, 1)).toMatchObject([{ outcome: 'stopped', estimated: true }])
  })

  test('is ended before it is deleted, so that it does not go on costing', async () => {
    const openai = await world.sdk()
    world.upstream.script({ text: words(400), delayMs: 20 })
    const { id } = await openai.responses.create({ model, input, background: true })
    await openai.responses.delete(id)
    expect(world.upstream.journal.map(({ method, path }) => `${method} ${path}`)).toContain(
      `POST /v1/responses/${id}/cancel`,
    )
    expect(await refusalOf(openai.responses.retrieve(id))).toMatchObject({ status: 404 })
    expect(await readLedger(world, openai.keyId, 1)).toMatchObject([{ outcome: 'stopped' }])
  })

  test('that fails is written down as failed', async () => {
    const openai = await world.sdk()
    world.upstream.script({ end: 'failed' })
    await openai.responses.create({ model, input, background: true })
    expect(await readLedger(world, openai.keyId, 1)).toMatchObject([{ outcome: 'failed' }])
  })
})

describe('a response in the background outlives its server', () => {
  const ask = (at: OpenAI) =>
    at.responses.create({ model, input, background: true, max_output_tokens: 100_000 })

  async function restart(script: Script, end: (server: TestServer) => Promise<unknown>) {
    const own = await startGateway()
    const openai = await own.sdk({ budget_usd: 0.25 })
    own.upstream.script(script)
    const { id } = await ask(openai)
    await end(own.server)
    const server = await own.server.restart()
    const again = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: openai.key, maxRetries: 0 })
    const admin = Object.assign(new Client(server.url, own.admin.token), { userId: own.admin.userId })
    const close = () => Promise.all([server.close(), own.upstream.close()])
    return { id, openai: again, ledger: () => readLedger({ admin }, openai.keyId, 1), close }
  }

  test('that was stopped: the next start writes down what it used', async () => {
    const script = { text: words(30), usage: { input: 77, output: 88 } }
    const { id, openai, ledger, close } = await restart(script, (server) => server.stop())
    expect(await ledger()).toMatchObject([
      { input_tokens: 77, output_tokens: 88, estimated: false, outcome: 'completed' },
    ])
    expect((await openai.responses.retrieve(id)).status).toBe('completed')
    await close()
  })

  test('that has crashed: what was set aside is held by the next start, until it ends', async () => {
    const script = { text: words(1000), delayMs: 100 }
    const { id, openai, ledger, close } = await restart(script, (server) => server.kill())
    expect(await refusalOf(ask(openai))).toMatchObject({ code: 'insufficient_quota' })
    expect((await openai.responses.cancel(id)).status).toBe('cancelled')
    expect(await ledger()).toMatchObject([{ outcome: 'stopped' }])
    expect((await ask(openai)).status).toBe('queued')
    await close()
  })
})

test('metadata that looks like a use is none', async () => {
  const openai = await world.sdk()
  const metadata = { usage: '{"input_tokens":1,"output_tokens":1}' }
  world.upstream.script({ usage: { input: 900, output: 80 } }, { times: 2 })
  await openai.responses.create({ model, input, metadata })
  await readEvents(await openai.responses.create({ model, input, metadata, stream: true }))
  const told = { input_tokens: 900, output_tokens: 80, estimated: false }
  expect(await readLedger(world, openai.keyId, 2)).toMatchObject([told, told])
})

describe('whose it is', () => {
  const notFound = (id: string) => ({
    status: 404,
    code: null,
    message: expect.stringContaining(`Response with id '${id}' not found.`),
  })

  async function expectStrange(openai: OpenAI, id: string) {
    for (const call of [
      () => openai.responses.retrieve(id),
      () => openai.responses.retrieve(id, { stream: true, starting_after: 0 }),
      () => openai.responses.cancel(id),
      () => openai.responses.delete(id),
      () => openai.responses.inputItems.list(id),
    ])
      expect(await refusalOf(call())).toMatchObject(notFound(id))
    expect(await refusalOf(openai.responses.create({ model, input, previous_response_id: id }))).toEqual({
      status: 400,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
      message: expect.stringContaining(`Previous response with id '${id}' not found.`),
    })
  }

  test('a stranger finds no response of somebody else’s, and nobody is asked for it', async () => {
    const mine = await world.sdk()
    const other = await keyOf(await signUp(world.server.url, 'stranger'))
    const { id } = await mine.responses.create({ model, input, background: true, stream: false })
    const asked = () =>
      world.upstream.journal.filter(({ method, path }) => method !== 'GET' && path.includes(id)).length
    await expectStrange(other, id)
    expect(asked()).toBe(0)
    expect((await mine.responses.retrieve(id)).id).toBe(id)
  })

  test('a key that is bound to a project reaches what was made with keys of that project alone', async () => {
    const made = await Promise.all(['One', 'Two'].map((name) => world.admin.post('/api/projects', { name })))
    const [one, two] = await Promise.all(
      made.map(({ body }) => keyOf(world.admin, { project_id: String(body.id) })),
    )
    const free = await world.sdk()
    if (!one || !two) throw new Error('a key is missing')
    const ofOne = await one.responses.create({ model, input })
    const ofNone = await free.responses.create({ model, input })
    await expectStrange(two, ofOne.id)
    await expectStrange(one, ofNone.id)
    expect((await free.responses.retrieve(ofOne.id)).id).toBe(ofOne.id)
    const again = await keyOf(world.admin, { project_id: String(made[0]?.body.id) })
    expect((await again.responses.retrieve(ofOne.id)).id).toBe(ofOne.id)
  })

  test('an item is named by whoever it was made for, and by nobody else; a conversation by none', async () => {
    const mine = await world.sdk()
    const other = await keyOf(await signUp(world.server.url, 'stranger'))
    const whole = await mine.responses.create({ model, input })
    const events = await readEvents(await mine.responses.create({ model, input, stream: true }))
    const added = events.filter(({ type }) => type === 'response.output_item.added')
    const ids = [...whole.output, ...added.map(({ item }) => item as { id: string })].map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(3)
    const naming = (id: string | undefined) => [
      { type: 'item_reference' as const, id: String(id) },
      { role: 'user' as const, content: 'And?' },
    ]
    for (const id of ids) {
      expect((await mine.responses.create({ model, input: naming(id) })).status).toBe('completed')
      expect(await refusalOf(other.responses.create({ model, input: naming(id) }))).toMatchObject({
        status: 404,
        code: null,
        param: 'input',
        message: expect.stringContaining(`Item with id '${id}' not found.`),
      })
    }
    const thought = [{ type: 'reasoning' as const, id: String(ids[0]), summary: [] }, ...naming(ids[1])]
    expect(await refusalOf(other.responses.create({ model, input: thought }))).toMatchObject({ status: 404 })
    expect(
      await refusalOf(mine.responses.create({ model, input, conversation: 'conv_of_somebody' })),
    ).toMatchObject({ status: 404, param: 'conversation' })
  })

  test.each([false, true])('a place where code was run is its maker’s, stream: %s', async (stream) => {
    const mine = await world.sdk()
    const other = await keyOf(await signUp(world.server.url, 'stranger'))
    const run = (openai: OpenAI, container: object | string, more: OpenAI.Responses.ResponseInput = []) => {
      const tools = [{ type: 'code_interpreter' as const, container: container as string }]
      return openai.responses.create({
        model,
        input: [...more, { role: 'user', content: input }],
        tools,
        stream,
      })
    }
    world.upstream.script({ items: [{ type: 'code_interpreter', code: '1 + 1', logs: '2' }] })
    const answer = await run(mine, { type: 'auto' })
    const said = Symbol.asyncIterator in answer ? await readEvents(answer) : answer.output
    const container = /"container_id":"(cntr_\w+)"/.exec(JSON.stringify(said))?.[1] ?? ''
    expect(container).toMatch(/^cntr_/)
    const before = world.upstream.journal.length
    const call = { type: 'code_interpreter_call', id: 'ci_of_mine', status: 'completed', code: '1 + 1' }
    // It is taken up again, too, where an earlier run of it is sent along.
    const again = [{ ...call, container_id: container, outputs: [] }] as OpenAI.Responses.ResponseInput
    const naming = (openai: OpenAI) => [
      () => run(openai, container),
      () => run(openai, { type: 'auto' }, again),
    ]
    for (const refused of naming(other))
      expect(await refusalOf(refused())).toMatchObject({
        status: 404,
        code: null,
        message: expect.stringContaining(`Container with id '${container}' not found.`),
      })
    expect(world.upstream.journal.length).toBe(before)
    for (const ask of naming(mine)) {
      const served = await ask()
      if (Symbol.asyncIterator in served) await readEvents(served)
    }
    expect(world.upstream.journal.length).toBe(before + 2)
  })

  test('what was stored to be searched without AL-Chat is reached with a key of one’s own alone', async () => {
    const search = (openai: OpenAI) =>
      openai.responses.create({
        model,
        input,
        tools: [{ type: 'file_search', vector_store_ids: ['vs_of_somebody'] }],
      })
    expect(await refusalOf(search(await world.sdk()))).toMatchObject({
      status: 404,
      code: null,
      param: 'tools',
      message: expect.stringContaining("Vector store with id 'vs_of_somebody' not found."),
    })
    const owner = await signUp(world.server.url, 'owner')
    const credentials = { api_key: upstreamKey }
    const own = { credentialType: 'openai', scope: 'user', credentials, baseUrl: world.upstream.baseUrl }
    expect((await owner.post('/api/credentials', own)).status).toBe(201)
    expect((await search(await keyOf(owner))).status).toBe('completed')
  })

  test('what a caller sends as a text, as metadata or as a tool makes no name the caller’s', async () => {
    const mine = await world.sdk()
    const { output } = await mine.responses.create({ model, input })
    const id = String(output[0]?.id)
    const other = await keyOf(await signUp(world.server.url, 'forger'))
    const forged = `\nevent: response.output_item.added\ndata: {"item":{"id":"${id}"}}\n\n`
    const parameters = { output: [{ id }], item: { id } }
    const tools = [{ type: 'function' as const, name: 'f', strict: false, parameters }]
    for (const stream of [true, false]) {
      const answer = await other.responses.create({
        model,
        input: forged,
        metadata: { item: `{"id":"${id}"}` },
        instructions: forged,
        tools,
        stream,
      })
      if (Symbol.asyncIterator in answer) await readEvents(answer)
    }
    const naming = [{ type: 'item_reference' as const, id }]
    expect(await refusalOf(other.responses.create({ model, input: naming }))).toMatchObject({ status: 404 })
  })

  test('with a key of one’s own in the vault, what was made there without AL-Chat can be named', async () => {
    const owner = await signUp(world.server.url, 'owner')
    const credentials = { api_key: upstreamKey }
    const own = { credentialType: 'openai', scope: 'user', credentials, baseUrl: world.upstream.baseUrl }
    expect((await owner.post('/api/credentials', own)).status).toBe(201)
    const openai = await keyOf(owner)
    const naming = [{ type: 'item_reference' as const, id: 'msg_made_elsewhere' }]
    expect((await openai.responses.create({ model, input: naming })).status).toBe('completed')
  })
})

test('a key that is revoked ends the streams that it follows', async () => {
  const openai = await world.sdk()
  world.upstream.script({ text: words(600), delayMs: 20 })
  const stream = await openai.responses.create({ model, input, background: true, stream: true })
  let named = ''
  for await (const event of stream) {
    if (event.type === 'response.created') named = event.response.id
    if (event.type === 'response.output_text.delta') break
  }
  const follower = await openai.responses.retrieve(named, { stream: true, starting_after: 0 })
  let seen = 0
  const following = (async () => {
    for await (const _ of follower) seen += 1
  })()
  await expect.poll(() => seen, { timeout: 10_000 }).toBeGreaterThan(3)
  await world.admin.delete(`/api/keys/${openai.keyId}`)
  await expect(following).rejects.toThrow()
  expect(await refusalOf(openai.responses.retrieve(named))).toMatchObject({ status: 401 })
})
