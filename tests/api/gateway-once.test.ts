import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, startGateway } from '../support/gateway'
import { makeKey } from '../support/keys'
import type { Script } from '../support/openai'
import { readLedger } from '../support/responses'

let world: GatewayWorld
let key: string
const messages = [{ role: 'user', content: 'Grüße' }]
const body = { model: 'gpt-5-mini', messages }

beforeAll(async () => {
  world = await startGateway()
  key = (await makeKey(world.admin, { scopes: ['gateway'] })).key
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

async function send(given: object, name: string, path = '/chat/completions', bearer = key) {
  const answer = await world.post(path, given, bearer, { 'idempotency-key': name })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}

describe('Idempotency-Key', () => {
  test.each([
    ['a whole answer', body],
    ['a stream', { ...body, stream: true }],
  ])('%s: the same call again is answered with the same bytes, and asked once', async (_, given) => {
    const name = randomUUID()
    const first = await send(given, name)
    const again = await send(given, name)
    expect(first.status).toBe(200)
    expect(again.status).toBe(200)
    expect(again.bytes.toString('hex')).toBe(first.bytes.toString('hex'))
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true'])
    expect(world.upstream.journal).toHaveLength(1)
  })

  test('another body is refused with 422, another caller’s key of the same name is another key', async () => {
    const name = randomUUID()
    await send(body, name)
    const other = await send({ ...body, temperature: 1 }, name)
    expect(other.status).toBe(422)
    expect(JSON.parse(other.bytes.toString())).toMatchObject({
      error: { type: 'invalid_request_error', code: 'idempotency_key_reused' },
    })
    const stranger = (await makeKey(world.admin, { scopes: ['gateway'] })).key
    expect((await send({ ...body, temperature: 1 }, name, '/chat/completions', stranger)).status).toBe(200)
  })

  test('a refusal of the caller’s own making is kept, a fault of the server’s is not', async () => {
    const [kept, lost] = [randomUUID(), randomUUID()]
    world.upstream.script({ error: 'invalid_request' })
    expect((await send(body, kept)).status).toBe(400)
    expect((await send(body, kept)).status).toBe(400)
    expect(world.upstream.journal).toHaveLength(1)
    world.upstream.script({ error: 'server_error' }, { times: 3 })
    expect((await send(body, lost)).status).toBe(500)
    expect((await send(body, lost)).status).toBe(200)
  })

  test('while the first call is under way, a second one is told so; once the first has gone, it may be made', async () => {
    const name = randomUUID()
    world.upstream.script({ text: ['a', 'b', 'c', 'd'], delayMs: 3000 })
    const gone = new AbortController()
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': name,
    }
    const given = { ...body, stream: true }
    const first = await fetch(`${world.server.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(given),
      signal: gone.signal,
    })
    expect(first.status).toBe(200)
    const second = await send(given, name)
    expect(second.status).toBe(409)
    expect(JSON.parse(second.bytes.toString())).toMatchObject({ error: { code: 'idempotency_key_in_use' } })
    gone.abort()
    await expect.poll(async () => (await send(given, name)).status, { timeout: 10_000 }).toBe(200)
  })

  test('a key that is none is refused', async () => {
    expect((await send(body, 'x'.repeat(256))).status).toBe(400)
  })
})

describe('the cache of a key', () => {
  test.each([
    ['a whole answer', body],
    ['a stream', { ...body, stream: true }],
  ])('%s serves the very same question again, to nobody else', async (_, given) => {
    const cached = (await makeKey(world.admin, { scopes: ['gateway'], cache_seconds: 60 })).key
    const ask = async (bearer: string, question: object = given) => {
      const answer = await world.post('/chat/completions', question, bearer)
      return {
        cache: answer.headers.get('x-al-cache'),
        type: answer.headers.get('content-type'),
        text: await answer.text(),
      }
    }
    const first = await ask(cached)
    const second = await ask(cached)
    expect([first.cache, second.cache]).toEqual(['miss', 'hit'])
    expect(second).toEqual({ ...first, cache: 'hit' })
    expect(world.upstream.journal).toHaveLength(1)
    expect((await ask(cached, { ...given, temperature: 0 })).cache).toBe('miss')
    const other = (await makeKey(world.admin, { scopes: ['gateway'], cache_seconds: 60 })).key
    expect((await ask(other)).cache).toBe('miss')
    expect((await ask(key)).cache).toBeNull()
  })

  test('its time is bounded', async () => {
    const { key: brief } = await makeKey(world.admin, { scopes: ['gateway'], cache_seconds: 1 })
    const ask = async () => (await world.post('/chat/completions', body, brief)).headers.get('x-al-cache')
    expect(await ask()).toBe('miss')
    await expect.poll(ask, { interval: 1200, timeout: 10_000 }).toBe('miss')
  })

  test('errors, and streams that broke off, are not kept', async () => {
    const { key: cached } = await makeKey(world.admin, { scopes: ['gateway'], cache_seconds: 60 })
    const ask = async (given: object) => {
      const answer = await world.post('/chat/completions', given, cached)
      await answer.text().catch(() => undefined)
      return answer.headers.get('x-al-cache')
    }
    world.upstream.script({ error: 'invalid_request' })
    await ask(body)
    expect(await ask(body)).toBe('miss')
    world.upstream.script({ text: ['one', 'two', 'three'], end: 'cut_before_end', close: 'abrupt' })
    await ask({ ...body, stream: true })
    expect(await ask({ ...body, stream: true })).toBe('miss')
  })

  const asking = { '/chat/completions': { messages }, '/responses': { input: 'Hi' } }
  test.each([
    ['/chat/completions', { text: ['a ', 'b ', 'c'], end: 'cut_before_end', after: 2, close: 'clean' }],
    ['/responses', { text: ['a ', 'b ', 'c'], end: 'cut_before_end', after: 2, close: 'clean' }],
    ['/responses', { end: 'failed' }],
  ] as const)('an answer that was not given to its end is asked again: %s, %j', async (path, script) => {
    const { key: bearer, id } = await makeKey(world.admin, { scopes: ['gateway'], cache_seconds: 60 })
    const given = { model: 'gpt-5-mini', ...asking[path], stream: true }
    world.upstream.script(script as unknown as Script)
    const name = randomUUID()
    await send(given, name, path, bearer)
    // What was cut off is asked again by the same name, too; what has failed was answered.
    const again = await send(given, script.end === 'failed' ? randomUUID() : name, path, bearer)
    expect(again.headers.get('x-al-cache')).toBe('miss')
    expect(again.bytes.toString()).toMatch(/\[DONE\]|response\.completed/)
    const kept = await send(given, randomUUID(), path, bearer)
    expect(kept.headers.get('x-al-cache')).toBe('hit')
    expect(kept.bytes.toString('hex')).toBe(again.bytes.toString('hex'))
    const rows = await readLedger(world, id, 3)
    expect(rows.map(({ outcome }) => outcome)).toEqual(['completed', 'completed', 'failed'])
  })

  test('what the cache serves costs nothing and is written down as such', async () => {
    const { key: cached, id } = await makeKey(world.admin, { scopes: ['gateway'], cache_seconds: 60 })
    await (await world.post('/chat/completions', body, cached)).text()
    const hit = await world.post('/chat/completions', body, cached)
    await hit.text()
    expect(hit.headers.get('x-al-cost-usd')).toBe('0')
    const read = async () => (await world.admin.get(`/api/keys/${id}/traffic`)).body
    await expect.poll(read, { timeout: 10_000 }).toMatchObject({
      items: [
        { cache: 'hit', cost_usd: 0, output_tokens: 0 },
        { cache: 'miss', cost_usd: expect.any(Number) },
      ],
    })
  })
})
