import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, startGateway } from '../../support/gateway'
import { makeKey } from '../../support/keys'
import { withinOneMinute } from '../../support/minute'
import { type ErrorName, echoOf } from '../../support/openai'

/*
 * What goes wrong is told so that the official client knows it: by its class, status, code, param and type, with the
 * headers that it goes by, and the id of the request.
 */

let world: GatewayWorld
let openai: OpenAI
const patient = () => new OpenAI({ baseURL: openai.baseURL, apiKey: openai.apiKey, maxRetries: 2 })

beforeAll(async () => {
  world = await startGateway()
  openai = await world.sdk()
})
beforeEach(async () => {
  world.upstream.reset()
  // A server that fails again and again is left alone for a while; one that has answered since is not.
  await openai.chat.completions.create(question)
  world.upstream.reset()
})
afterAll(() => world.close())

const question = { model: 'gpt-4.1', messages: [{ role: 'user' as const, content: 'Hello' }] }
const always = { times: Number.POSITIVE_INFINITY }

async function caught(asked: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof OpenAI.APIError) return error
  throw new Error(`That was no error of the API: ${String(error)}`)
}

type Kind = [error: ErrorName, of: new (...given: never[]) => Error, said: object]

const kinds: Kind[] = [
  ['invalid_request', OpenAI.BadRequestError, { status: 400, code: 'invalid_value', param: 'input' }],
  ['context_length_exceeded', OpenAI.BadRequestError, { status: 400, code: 'context_length_exceeded' }],
  ['missing_scope', OpenAI.PermissionDeniedError, { status: 403, code: 'insufficient_permissions' }],
  ['unsupported_country', OpenAI.PermissionDeniedError, { status: 403, type: 'request_forbidden' }],
  ['model_not_found', OpenAI.NotFoundError, { status: 404, code: 'model_not_found' }],
  ['conflict', OpenAI.ConflictError, { status: 409, code: 'conflict' }],
  [
    'rate_limit_exceeded',
    OpenAI.RateLimitError,
    { status: 429, code: 'rate_limit_exceeded', type: 'requests' },
  ],
  ['insufficient_quota', OpenAI.RateLimitError, { status: 429, code: 'insufficient_quota' }],
  ['server_error', OpenAI.InternalServerError, { status: 500, type: 'server_error', code: null }],
  ['overloaded', OpenAI.InternalServerError, { status: 503, type: 'server_error', code: null }],
]

describe('what the model server says against a call', () => {
  test.each(kinds)('%s is %o', async (error, kind, said) => {
    world.upstream.script({ error }, always)
    const whole = await caught(openai.chat.completions.create(question))
    expect(whole).toBeInstanceOf(kind)
    expect(whole).toMatchObject(said)
    expect(whole.requestID).toBe(whole.headers?.get('x-request-id'))
    expect(whole.requestID).toMatch(/^[\w-]{8,64}$/)
    expect(whole.message).not.toMatch(/org-|proj_|sk-test/)
  })

  test('is told of a stream before it begins', async () => {
    world.upstream.script({ error: 'invalid_request' })
    const asked = openai.responses.create({ model: 'gpt-5-mini', input: 'x', stream: true })
    expect(await caught(asked)).toMatchObject({ status: 400, code: 'invalid_value', param: 'input' })
  })

  test('with a status that has no class of its own keeps it', async () => {
    world.upstream.script({
      error: { status: 418, message: 'Short and stout.', code: 'teapot', param: 'spout' },
    })
    expect(await caught(openai.chat.completions.create(question))).toMatchObject({
      status: 418,
      code: 'teapot',
      param: 'spout',
      message: '418 Short and stout.',
    })
  })

  test('limits come with the headers that tell of them', async () => {
    world.upstream.script({ error: 'rate_limit_exceeded', retryAfterSeconds: 40 })
    const { headers } = await caught(openai.chat.completions.create(question))
    expect(headers?.get('retry-after')).toBe('40')
    expect(headers?.get('x-ratelimit-limit-requests')).toBe('3')
    expect(headers?.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(headers?.get('x-ratelimit-reset-requests')).toBe('20s')
  })
})

describe('trying again', () => {
  test('the gateway does what passes by itself, and the client hears nothing of it', async () => {
    world.upstream.script({ error: 'rate_limit_exceeded', retryAfterSeconds: 0 })
    world.upstream.script({ error: 'overloaded', retryAfterSeconds: 0 })
    const { choices } = await openai.chat.completions.create(question)
    expect(choices[0]?.message.content).toBe(echoOf('Hello'))
    expect(world.upstream.journal).toHaveLength(3)
  })

  test('the client does where the server says when', async () => {
    world.upstream.script({ error: 'conflict', headers: { 'retry-after-ms': '20' } }, { times: 2 })
    const { choices } = await patient().chat.completions.create(question)
    expect(choices[0]?.message.content).toBe(echoOf('Hello'))
    expect(world.upstream.journal).toHaveLength(3)
  })

  test('nobody does where the server says that it is of no use, or credit has run out', async () => {
    world.upstream.script({ error: 'overloaded', headers: { 'x-should-retry': 'false' } }, always)
    expect(await caught(patient().chat.completions.create(question))).toMatchObject({ status: 503 })
    expect(world.upstream.journal).toHaveLength(1)
    world.upstream.reset()
    world.upstream.script({ error: 'insufficient_quota' }, always)
    expect(await caught(openai.chat.completions.create(question))).toMatchObject({ status: 429 })
    expect(world.upstream.journal).toHaveLength(1)
  })
})

describe('what the gateway itself says', () => {
  test.each([
    ['a wrong key', 'alc_wrong'],
    ['a key of the model server’s', 'sk-test-gateway-world-51ce'],
  ])('to %s', async (_, apiKey) => {
    const wrong = new OpenAI({ baseURL: openai.baseURL, apiKey, maxRetries: 0 })
    const error = await caught(wrong.models.list())
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error' })
    expect(error.message).not.toContain(apiKey)
    expect(world.upstream.journal).toEqual([])
  })

  test('to a key that is for something else, and to one that was revoked', async () => {
    const { key } = await makeKey(world.admin, { scopes: ['chat'] })
    const other = new OpenAI({ baseURL: openai.baseURL, apiKey: key, maxRetries: 0 })
    expect(await caught(other.models.list())).toBeInstanceOf(OpenAI.PermissionDeniedError)
    const revoked = await world.sdk()
    await world.admin.delete(`/api/keys/${revoked.keyId}`)
    expect(await caught(revoked.models.list())).toBeInstanceOf(OpenAI.AuthenticationError)
  })

  test('of models that the key is not for', async () => {
    const narrow = await world.sdk({ allowed_models: ['gpt-5*'] })
    const error = await caught(narrow.chat.completions.create(question))
    expect(error).toBeInstanceOf(OpenAI.NotFoundError)
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' })
    await narrow.chat.completions.create({ ...question, model: 'gpt-5-mini' })
  })

  test('of the key’s own limits, with the headers that the client goes by', async () => {
    const slow = await world.sdk({ requests_per_minute: 1 })
    await withinOneMinute()
    await slow.chat.completions.create(question)
    const error = await caught(slow.chat.completions.create(question))
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0)
    expect(error.headers?.get('x-ratelimit-limit-requests')).toBe('1')
    expect(error.headers?.get('x-ratelimit-remaining-requests')).toBe('0')
    const poor = await world.sdk({ budget_usd: 0.000001 })
    const broke = await caught(poor.chat.completions.create(question))
    expect(broke).toMatchObject({ status: 429, code: 'insufficient_quota', type: 'insufficient_quota' })
  })

  test('of bodies that it cannot take', async () => {
    const large = { ...question, messages: [{ role: 'user' as const, content: 'x'.repeat(1_100_000) }] }
    expect(await caught(openai.chat.completions.create(large))).toMatchObject({ status: 413 })
    const unnamed = { ...question, model: 7 } as unknown as typeof question
    expect(await caught(openai.chat.completions.create(unnamed))).toMatchObject({
      status: 400,
      param: 'model',
    })
    expect(world.upstream.journal).toEqual([])
  })
})

describe('an answer and what is around it', () => {
  test('the id of the request is in the result', async () => {
    const whole = await openai.chat.completions.create(question)
    expect(whole._request_id).toMatch(/^[\w-]{8,64}$/)
  })

  test('withResponse gives head and result, of streams, too', async () => {
    const { data, response, request_id } = await openai.chat.completions.create(question).withResponse()
    expect(data.choices).toHaveLength(1)
    expect(response.status).toBe(200)
    expect(response.headers.get('x-request-id')).toBe(request_id)
    expect(response.headers.get('openai-processing-ms')).toBe('12')
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('4999')
    expect(response.headers.get('openai-organization')).toBeNull()
    expect(Number(response.headers.get('x-al-cost-usd'))).toBeGreaterThan(0)
    const streamed = await openai.chat.completions.create({ ...question, stream: true }).withResponse()
    expect(streamed.response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    let chunks = 0
    for await (const _ of streamed.data) chunks += 1
    expect(chunks).toBeGreaterThan(1)
  })

  test('asResponse gives the bytes', async () => {
    const raw = await openai.chat.completions.create({ ...question, stream: true }).asResponse()
    expect(await raw.text()).toMatch(/^(data: \{[^\n]*\}\n\n)+data: \[DONE\]\n\n$/)
  })

  test('the client’s own timeout ends the call at the model server, too', async () => {
    world.upstream.script({ firstByteDelayMs: 60_000 })
    const asked = openai.chat.completions.create(question, { timeout: 1500 })
    expect(await caught(asked)).toBeInstanceOf(OpenAI.APIConnectionTimeoutError)
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
  })

  test('a client of Azure’s or of a project may send its headers; they stay here', async () => {
    const named = new OpenAI({
      baseURL: openai.baseURL,
      apiKey: openai.apiKey,
      organization: 'org-ours',
      project: 'proj_ours',
      defaultHeaders: { 'x-trace': 'mine', 'openai-beta': 'assistants=v2' },
    })
    await named.chat.completions.create(question)
    const headers = world.upstream.journal[0]?.headers ?? {}
    expect(headers['openai-beta']).toBe('assistants=v2')
    expect(Object.keys(headers).filter((name) => /organization|project|trace|stainless/.test(name))).toEqual(
      [],
    )
  })
})
