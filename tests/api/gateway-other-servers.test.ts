import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { signUp } from '../support/client'
import { makeKey } from '../support/keys'
import { startServer, type TestServer } from '../support/server'

/* Servers that speak OpenAI's dialect as well as they can: with their own words for errors, and their own bounds. */

type Said = { status: number; body: string; type?: string }
type Body = Record<string, unknown>

const key = 'sk-test-other-server-4e'
let upstream: Server
let server: TestServer
let admin: Awaited<ReturnType<typeof signUp>>
let said: Said
let asked: Body[] = []

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString() || '{}') as Body
}

beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    asked.push(await readBody(request))
    response.writeHead(said.status, { 'content-type': said.type ?? 'application/json' }).end(said.body)
  })
  await new Promise<void>((ready) => upstream.listen(0, '127.0.0.1', ready))
  server = await startServer({ RATE_LIMITS: 'off' })
  admin = await signUp(server.url, 'admin')
  const { port } = upstream.address() as AddressInfo
  const made = await admin.post('/api/credentials', {
    scope: 'global',
    credentialType: 'openai-compatible',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    credentials: { api_key: key },
  })
  expect(made.status, made.text).toBe(201)
  const price = { input_usd: 0.5, output_usd: 10 }
  expect((await admin.put('/api/admin/prices', { model: 'llama', price })).status).toBe(204)
})
beforeEach(() => {
  asked = []
})
afterAll(async () => {
  await server.close()
  upstream.closeAllConnections()
  await new Promise((closed) => upstream.close(closed))
})

async function sdk(policy: object = {}): Promise<OpenAI> {
  const { key: apiKey } = await makeKey(admin, { scopes: ['gateway'], ...policy })
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 })
}

const question = { model: 'llama', messages: [{ role: 'user' as const, content: 'Hello' }] }
const answer = (text: string, tokens = 5): Said => ({
  status: 200,
  body: JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'llama',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: tokens, total_tokens: 10 + tokens },
  }),
})

describe('what other servers say against a call reaches the caller', () => {
  test.each([
    [
      'a text as the error',
      404,
      '{"error":"model \\"llama9\\" not found"}',
      'model "llama9" not found',
      null,
    ],
    ['a detail', 422, '{"detail":"Field required"}', 'Field required', null],
    ['a number as the code', 400, '{"object":"error","message":"Too long.","code":400}', 'Too long.', '400'],
    ['plain text', 400, 'No such template', 'No such template', null],
    ['a page', 400, '<html>Bad</html>', 'The model server refused the request with status 400.', null],
    ['a key', 400, `{"error":"bad key ${key}"}`, /^bad key (?!.*sk-test)/, null],
  ])('%s', async (_, status, body, message, code) => {
    said = { status, body, type: body.startsWith('{') ? 'application/json' : 'text/plain' }
    const openai = await sdk()
    const error = await openai.chat.completions.create(question).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OpenAI.APIError)
    const refused = error as InstanceType<typeof OpenAI.APIError>
    expect([refused.status, refused.code]).toEqual([status, code])
    expect((refused.error as { message: string }).message).toMatch(message)
  })

  test.each([
    ['by its type', { type: 'insufficient_quota', code: null }],
    ['by a word of its own', { type: 'tokens', code: 'billing_hard_limit_reached' }],
  ])('an exhausted quota, told %s, is not asked again', async (_, error) => {
    said = { status: 429, body: JSON.stringify({ error: { message: 'Spent.', ...error } }) }
    const openai = await sdk()
    await expect(openai.chat.completions.create(question)).rejects.toMatchObject({ status: 429 })
    expect(asked).toHaveLength(1)
  })

  test.each([204, 600])('status %i, which is no answer, is no fault of ours', async (status) => {
    said = { status, body: status === 204 ? '' : '{}' }
    const { key: apiKey } = await makeKey(admin, { scopes: ['gateway'] })
    const told = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
    })
    expect(told.status).toBe(status === 204 ? 204 : 502)
    expect(server.output()).not.toContain('RangeError')
  })
})

describe('a budget holds, whatever the server makes of a bound', () => {
  test('the newer name of the bound is said as the older one, which every server knows', async () => {
    said = answer('Hi')
    const openai = await sdk({ budget_usd: 0.05 })
    await openai.chat.completions.create({ ...question, max_completion_tokens: 16 })
    expect(asked[0]).toMatchObject({ max_tokens: 16 })
    expect(asked[0]).not.toHaveProperty('max_completion_tokens')
  })

  test('a response has the one bound that was set aside for, and no other name for it goes out', async () => {
    said = answer('Hi')
    const openai = await sdk({ budget_usd: 0.05 })
    const more = { max_completion_tokens: 64_000, max_tokens: 64_000, n_predict: 64_000 }
    await openai.responses.create({ model: 'llama', input: 'Hi', max_output_tokens: 16, ...more } as never)
    expect(asked[0]).toMatchObject({ max_tokens: 16 })
    for (const name of ['max_completion_tokens', 'n_predict', 'max_output_tokens'])
      expect(asked[0]).not.toHaveProperty(name)
  })

  test('what goes on from an earlier response is paid for by what was said, not by all that a model can read', async () => {
    said = answer('Seven.')
    const openai = await sdk({ budget_usd: 0.5 })
    const first = await openai.responses.create({
      model: 'llama',
      input: 'Remember 7.',
      max_output_tokens: 100,
    })
    const second = await openai.responses.create({
      model: 'llama',
      input: 'Which one?',
      max_output_tokens: 100,
      previous_response_id: first.id,
    })
    expect(second.output_text).toBe('Seven.')
    const long = 'x'.repeat(900_000)
    const third = await openai.responses.create({ model: 'llama', input: long, max_output_tokens: 100 })
    await expect(
      openai.responses.create({
        model: 'llama',
        input: long,
        max_output_tokens: 100,
        previous_response_id: third.id,
      }),
    ).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' })
  })
})

test('numbers that JavaScript takes for one are two to the cache', async () => {
  said = answer('Hi')
  const { key: apiKey } = await makeKey(admin, { scopes: ['gateway'], cache_seconds: 300 })
  const ask = async (seed: string) => {
    const told = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(question).replace('{', `{"seed":${seed},`),
    })
    await told.text()
    return told.headers.get('x-al-cache')
  }
  expect(await ask('12345678901234567890')).toBe('miss')
  expect(await ask('12345678901234567891')).toBe('miss')
  expect(await ask('12345678901234567890')).toBe('hit')
})
