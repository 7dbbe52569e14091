import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startAnthropic } from '../support/anthropic'
import { type Client, signUp } from '../support/client'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { type RawServer, startHttp } from '../support/raw-server'
import { startServer, type TestServer } from '../support/server'

// Which models a caller is told of: those of all servers that serve it, and its agents.
const upstreamKey = 'sk-test-models-upstream-5ad1'

let upstream: OpenAIServer
let server: TestServer
const others: RawServer[] = []

beforeAll(async () => {
  upstream = await startOpenAI({ acceptKey: (given) => given === upstreamKey })
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: upstreamKey })
  await signUp(server.url, 'admin')
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
  await Promise.all(others.map((other) => other.close()))
})

type Wish = Partial<Parameters<typeof makeKey>[1]> & { allowed_models?: string[] }

async function keyOf(user: Client, wish: Wish = {}): Promise<string> {
  return (await makeKey(user, { scopes: ['gateway'], ...wish })).key
}

const clientWith = (apiKey: string, url = server.url) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })

async function idsOf(client: OpenAI): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of client.models.list()) ids.push(id)
  return ids
}

async function read(url: string, key: string) {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

async function made(user: Client, path: string, body: object): Promise<string> {
  const { status, text, body: said } = await user.post(path, body)
  expect(status, text).toBe(201)
  return String(said.id)
}

/** A project of the user's with one agent in it. */
async function makeAgent(user: Client, fields: object = {}) {
  const projectId = await made(user, '/api/projects', { name: 'Project' })
  const agentId = await made(user, `/api/projects/${projectId}/agents`, { name: 'Helper', ...fields })
  return { projectId, model: `agent:${agentId}` }
}

/** Another server, whose list is this text, and a key of the user's for it. */
async function keepOther(user: Client, list: string | ((path: string) => [status: number, text: string])) {
  const other = await startHttp(({ url = '' }, response) => {
    const [status, text] = typeof list === 'string' ? [200, list] : list(url)
    if (status > 0) response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
  })
  others.push(other)
  await made(user, '/api/credentials', {
    credentialType: 'openai-compatible',
    baseUrl: other.baseUrl,
    credentials: { api_key: 'sk-test-of-the-other' },
  })
  return other
}

const listOf = (...ids: string[]) =>
  JSON.stringify({ object: 'list', data: ids.map((id) => ({ id, object: 'model', owned_by: 'other' })) })

test('without agents the list is the server’s own, byte for byte, also at the old paths', async () => {
  const key = await keyOf(await signUp(server.url))
  const direct = await read(`${upstream.baseUrl}/models`, upstreamKey)
  for (const path of ['/v1/models', '/api/v1/models', '/api/models', '/models']) {
    const { status, headers, text } = await read(server.url + path, key)
    expect(status).toBe(200)
    expect(text, path).toBe(direct.text)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('openai-version')).toBe('2020-10-01')
    expect(JSON.stringify([...headers])).not.toMatch(/org-altests|proj_altests|sk-test/)
  }
})

test('the caller’s agents are models too, each retrievable; nobody else’s are', async () => {
  const [user, stranger] = [await signUp(server.url), await signUp(server.url)]
  const { model, projectId } = await makeAgent(user)
  const client = clientWith(await keyOf(user))
  const ids = await idsOf(client)
  expect(ids.slice(0, -1)).toContain('gpt-5-mini')
  expect(ids.at(-1)).toBe(model)
  expect(await client.models.retrieve(model)).toMatchObject({
    id: model,
    object: 'model',
    created: expect.any(Number),
    owned_by: 'al-chat',
    name: 'Helper',
  })
  const theirs = clientWith(await keyOf(stranger))
  expect(await idsOf(theirs)).not.toContain(model)
  for (const name of [model, 'agent:none', 'agent:', 'agent:00000000-0000-7000-8000-000000000000'])
    await expect(theirs.models.retrieve(name)).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      type: 'invalid_request_error',
      param: 'model',
    })
  const bound = await makeAgent(user)
  const boundClient = clientWith(await keyOf(user, { project_id: bound.projectId }))
  expect((await idsOf(boundClient)).filter((id) => id.startsWith('agent:'))).toEqual([bound.model])
  await expect(boundClient.models.retrieve(model)).rejects.toMatchObject({ status: 404 })
  await user.post(`/api/projects/${projectId}/members`, {
    email: Reflect.get(stranger, 'email'),
    role: 'viewer',
  })
  expect(await idsOf(theirs)).toContain(model)
})

test('a key is told of the models that it may use, and of agents that it may use or whose model it may', async () => {
  const user = await signUp(server.url)
  const mini = await makeAgent(user, { model_name: 'gpt-5-mini' })
  const large = await makeAgent(user, { model_name: 'gpt-4.1' })
  const all = await idsOf(clientWith(await keyOf(user)))
  const seen = async (...allowed_models: string[]) => idsOf(clientWith(await keyOf(user, { allowed_models })))
  expect(await seen('gpt-5*')).toEqual([...all.filter((id) => id.startsWith('gpt-5')), mini.model])
  expect(await seen('gpt-4o-mini', large.model)).toEqual(['gpt-4o-mini', large.model])
  expect(await seen('agent:*')).toEqual([mini.model, large.model])
  expect(await seen('*')).toEqual(all)
  expect(await seen('gpt-5')).toEqual(['gpt-5'])
  const client = clientWith(await keyOf(user, { allowed_models: ['gpt-5-mini'] }))
  expect((await client.models.retrieve('gpt-5-mini')).id).toBe('gpt-5-mini')
  expect((await client.models.retrieve(mini.model)).id).toBe(mini.model)
  for (const name of ['gpt-5', large.model])
    await expect(client.models.retrieve(name)).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  expect(upstream.journal.map(({ path }) => path)).not.toContain('/v1/models/gpt-5')
})

test('one model is as its server tells it, byte for byte, and so is that there is none', async () => {
  const key = await keyOf(await signUp(server.url))
  const direct = await read(`${upstream.baseUrl}/models/gpt-5-mini`, upstreamKey)
  expect((await read(`${server.url}/v1/models/gpt-5-mini`, key)).text).toBe(direct.text)
  const none = await read(`${server.url}/v1/models/no-such-model`, key)
  expect(none.status).toBe(404)
  expect(JSON.parse(none.text)).toEqual(
    JSON.parse((await read(`${upstream.baseUrl}/models/no-such-model`, upstreamKey)).text),
  )
})

test('without any key there is the demo model, beside the agents', async () => {
  const bare = await startServer()
  const user = await signUp(bare.url)
  const { model } = await makeAgent(user)
  const client = clientWith(await keyOf(user), bare.url)
  expect(await idsOf(client)).toEqual(['demo', model])
  expect(await client.models.retrieve('demo')).toMatchObject({ id: 'demo', object: 'model' })
  await expect(client.models.retrieve('gpt-5')).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  })
  expect(await idsOf(clientWith(await keyOf(user, { allowed_models: ['gpt-5'] }), bare.url))).toEqual([])
  await bare.close()
})

describe('with keys of several servers', () => {
  test('their lists are one, each entry as it was written and the first of a name; a server that lists a model is asked for it', async () => {
    const user = await signUp(server.url)
    const odd = '{ "id":"llama-3", "n":-0.0, "big":12345678901234567890, "x":"\\u00e9]" }'
    const twin = '{"id":"gpt-5","owned_by":"other"}'
    const other = await keepOther(user, (path) =>
      path === '/v1/models' ? [200, `{"data" : [ ${odd} , ${twin} ]}`] : [200, `{"id":"asked at ${path}"}`],
    )
    const key = await keyOf(user)
    const { text } = await read(`${server.url}/v1/models`, key)
    expect(text).toContain(odd)
    const ids = (JSON.parse(text).data as { id: string }[]).map(({ id }) => id)
    expect(ids).toEqual(['llama-3', 'gpt-5', ...ids.slice(2)])
    expect(ids).toContain('gpt-5-mini')
    expect(new Set(ids).size).toBe(ids.length)
    expect(text).toContain(twin)
    const client = clientWith(key)
    expect((await client.models.retrieve('llama-3')).id).toBe('asked at /v1/models/llama-3')
    expect((await client.models.retrieve('gpt-5-mini')).id).toBe('gpt-5-mini')
    expect((await client.models.retrieve('on-no-list')).id).toBe('asked at /v1/models/on-no-list')
    expect(other.requests.filter(({ url }) => url === '/v1/models')).toHaveLength(1)
  })

  test('each is asked once, however many want to know', async () => {
    const user = await signUp(server.url)
    const other = await keepOther(user, listOf('mine'))
    const client = clientWith(await keyOf(user))
    const lists = await Promise.all(Array.from({ length: 20 }, () => idsOf(client)))
    for (const ids of lists) expect(ids).toEqual(lists[0])
    expect(other.requests).toHaveLength(1)
  })

  test.each([
    ['refuses', 401, '{"error":{"message":"no"}}'],
    ['says something else', 200, '<html>'],
    ['lists nothing that is a list', 200, '{"data":{"a":1}}'],
    ['does not answer', 0, ''],
  ])('one that %s is left out', async (_, status, text) => {
    const user = await signUp(server.url)
    await keepOther(user, () => [status, text])
    const direct = await read(`${upstream.baseUrl}/models`, upstreamKey)
    expect((await read(`${server.url}/v1/models`, await keyOf(user))).text).toBe(direct.text)
  })

  test('Anthropic’s models are told as OpenAI tells its own', async () => {
    const anthropic = await startAnthropic()
    const user = await signUp(server.url)
    const credential = { credentialType: 'anthropic', baseUrl: anthropic.baseUrl }
    await made(user, '/api/credentials', { ...credential, credentials: { api_key: 'sk-ant-of-the-models' } })
    const client = clientWith(await keyOf(user))
    const ids = await idsOf(client)
    expect(ids).toContain('gpt-5-mini')
    expect(ids.filter((id) => id.startsWith('claude'))).toHaveLength(3)
    expect(await client.models.retrieve('claude-opus-5-5')).toEqual({
      id: 'claude-opus-5-5',
      object: 'model',
      created: Date.UTC(2026, 0, 1) / 1000,
      owned_by: 'anthropic',
      name: 'claude opus 5 5',
    })
    expect((await client.models.retrieve('gpt-5-mini')).owned_by).toBe('system')
    const alone = await startServer()
    const other = await signUp(alone.url)
    await made(other, '/api/credentials', { ...credential, credentials: { api_key: 'sk-ant-of-the-models' } })
    const only = clientWith(await keyOf(other), alone.url)
    expect(await idsOf(only)).toEqual(ids.filter((id) => id.startsWith('claude')))
    await expect(only.models.retrieve('demo')).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
    const stranger = await signUp(alone.url)
    await made(stranger, '/api/credentials', { ...credential, credentials: { api_key: 'xx-refused-there' } })
    const refused = clientWith(await keyOf(stranger), alone.url)
    await expect(refused.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
    await alone.close()
    await anthropic.close()
  })

  test('lists that are bare, or none, are lists', async () => {
    const user = await signUp(server.url)
    await keepOther(user, '[{"id":"bare"},7,{"name":"nameless"}]')
    expect((await idsOf(clientWith(await keyOf(user))))[0]).toBe('bare')
    const another = await signUp(server.url)
    await keepOther(another, '{"object":"list","data":null}')
    expect(await idsOf(clientWith(await keyOf(another)))).toContain('gpt-5-mini')
  })
})

test('where no server lists any, the first one’s refusal is told, without its key', async () => {
  const apart = await startServer({
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'sk-test-refused-9d9d',
  })
  const user = await signUp(apart.url)
  const key = await keyOf(user)
  await makeAgent(user)
  for (const path of ['/v1/models', '/v1/models/gpt-5']) {
    const { status, text, headers } = await read(apart.url + path, key)
    expect(status).toBe(401)
    expect(JSON.parse(text)).toMatchObject({
      error: { type: 'invalid_request_error', code: 'invalid_api_key' },
    })
    expect(text + JSON.stringify([...headers])).not.toMatch(/sk-test|9d9d|org-|proj_/)
  }
  await keepOther(user, () => [503, 'no'])
  expect((await read(`${apart.url}/v1/models`, key)).status).toBe(503)
  await apart.close()
})
