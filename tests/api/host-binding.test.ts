import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { followToEnd, openTalk, send, type Talk, textOf } from '../support/chat'
import { type Client, type Json, signUp } from '../support/client'
import { echoOf, type OpenAIServer, startOpenAI } from '../support/openai'
import { type Recorder, startRecorder } from '../support/recorder'
import { startServer, type TestServer } from '../support/server'
import { startUntrusted } from '../support/untrusted-server'

/*
 * Ways in which a key could be made to travel to another host than the one that it was kept for, over HTTP and with the
 * real server. `stranger` is the host where nothing of a key may ever arrive. The look-up of names is attacked in
 * tests/unit/providers-addresses.test.ts, the spelling of addresses in tests/unit/reach*.test.ts.
 */

type Person = Client & { email: string; userId: string }

const globalKey = 'sk-test-canary-global-5a1e77c0'
const ownKey = 'sk-test-canary-own-90b3d2f1'
const everyCanary = /canary-(global|own)/

let openai: OpenAIServer
let stranger: Recorder
let proxy: Recorder
let server: TestServer
let admin: Person
let talk: Talk

beforeAll(async () => {
  openai = await startOpenAI()
  stranger = await startRecorder((_, response) => response.writeHead(200).end('{"data":[]}'))
  proxy = await startRecorder((_, response) => response.writeHead(502).end())
  server = await startServer(proxiesIn(proxy))
  admin = await signUp(server.url, 'admin')
  talk = await openTalk(server.url, { model_provider: 'openai' })
})
afterAll(async () => {
  await server.close()
  await Promise.all([openai.close(), stranger.close(), proxy.close()])
})
afterEach(async () => {
  for (const person of [admin, talk.user])
    for (const { id } of await keysOf(person)) await person.delete(`/api/credentials/${id}`)
  expect(stranger.heard()).not.toMatch(everyCanary)
  expect(proxy.requests).toEqual([])
  openai.reset()
  stranger.reset()
})

/** All names that programs take a proxy from, and Node's own switch for them. */
function proxiesIn({ port }: Recorder): Record<string, string> {
  const address = `http://127.0.0.1:${port}`
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
  return {
    ...Object.fromEntries(names.map((name) => [name, address])),
    NO_PROXY: '',
    no_proxy: '',
    NODE_USE_ENV_PROXY: '1',
    npm_config_proxy: address,
  }
}

const keysOf = async (person: Person) =>
  ((await person.get('/api/credentials')).body.items ?? []) as unknown as (Json & { id: string })[]

async function keep(person: Person, apiKey: string, more: object = {}): Promise<string> {
  const body = {
    credentialType: 'openai',
    baseUrl: openai.baseUrl,
    credentials: { api_key: apiKey },
    ...more,
  }
  const { status, body: made, text } = await person.post('/api/credentials', body)
  expect(status, text).toBe(201)
  return String(made.id)
}

/** What a message is answered with: its text, and the words of the error that ended it. */
async function ask(asked = talk, text = 'Hello'): Promise<{ text: string; error: string | null }> {
  const opened = await asked.user.post(`/api/agents/${asked.agentId}/conversations`, {})
  const conversationId = String(opened.body.conversation?.id)
  const { reply } = await send({ ...asked, conversationId }, text)
  const events = await followToEnd(asked.user, reply.events_url)
  const last = events.at(-1)
  return { text: textOf(events), error: last?.type === 'failed' ? last.data.error.message : null }
}

const keysHeard = () => openai.journal.map(({ headers }) => headers.authorization)

test('with every proxy of the environment set, calls go to the host of the key and nothing to the proxy', async () => {
  const id = await keep(talk.user, ownKey)
  expect((await ask()).text).toBe(echoOf('Hello'))
  expect((await talk.user.post(`/api/credentials/${id}/test`)).body).toMatchObject({ ok: true })
  expect(keysHeard()).toEqual(Array(3).fill(`Bearer ${ownKey}`))
  const host = `127.0.0.1:${openai.port}`
  expect(openai.journal.map(({ headers }) => headers.host)).toEqual([host, host, host])
  const untrusted = await startUntrusted()
  const safe = await keep(talk.user, ownKey, { baseUrl: `https://127.0.0.1:${untrusted.port}/v1` })
  const tried = await talk.user.post(`/api/credentials/${safe}/test`)
  expect(tried.body.error).toMatch(/is not safe \(DEPTH_ZERO_SELF_SIGNED_CERT\)/)
  await untrusted.close()
  expect(proxy.heard()).toBe('')
})

test('a program that takes proxies from the environment would have gone to this one', async () => {
  const call = `fetch('${openai.baseUrl}/models').catch(() => undefined)`
  const env = { ...proxiesIn(proxy), PATH: process.env.PATH ?? '', NODE_ENV: 'test' } as const
  await promisify(execFile)(process.execPath, ['-e', call], { env })
  expect(proxy.requests).toEqual([`CONNECT 127.0.0.1:${openai.port}`])
  proxy.reset()
})

test.each([301, 302, 303, 307, 308])(
  'a redirect with status %i is not followed, by no kind of call',
  async (status) => {
    const places = [
      ['to another host', () => `${stranger.baseUrl}/elsewhere`],
      ['to a place without a scheme', () => `//127.0.0.1:${stranger.port}/elsewhere`],
      ['to another place of its own', () => '/v1/elsewhere'],
    ] as const
    for (const [name, location] of places) {
      const turncoat = await startRecorder((_, response) =>
        response.writeHead(status, { location: location() }).end(),
      )
      const id = await keep(talk.user, ownKey, { baseUrl: turncoat.baseUrl })
      expect((await ask()).error, name).toMatch(/wants to send the request to another address/)
      const tried = await talk.user.post(`/api/credentials/${id}/test`)
      expect(tried.body.error, name).toMatch(/That is not followed/)
      expect(turncoat.requests, name).toEqual(['POST /v1/responses', 'GET /v1/models'])
      await talk.user.delete(`/api/credentials/${id}`)
      await turncoat.close()
    }
    expect(stranger.requests).toEqual([])
  },
)

test.each([
  'base_url',
  'baseUrl',
  'api_base',
  'host',
  'url',
  'endpoint',
  'proxy',
  'headers',
  'credentials',
  'api_key',
])('an agent has no %s to send a key elsewhere with', async (field) => {
  const { user, projectId, agentId } = talk
  const value = field === 'api_key' ? 'nothing of value' : stranger.baseUrl
  const made = await user.post(`/api/projects/${projectId}/agents`, { name: 'A', [field]: value })
  expect(made.status).toBe(400)
  expect((await user.patch(`/api/agents/${agentId}`, { [field]: value })).status).toBe(400)
  expect((await user.patch(`/api/projects/${projectId}`, { [field]: value })).status).toBe(400)
})

test('a name of a model that looks like a way elsewhere is a name, and travels in the body', async () => {
  await keep(talk.user, ownKey)
  const models = [
    '../../files',
    '/etc/passwd',
    'https://127.0.0.1/v1/evil',
    `${stranger.baseUrl}/`,
    `@127.0.0.1:${stranger.port}`,
    '..\\..\\models',
    'gpt?x=1#y',
    '%2e%2e%2f',
  ]
  for (const model of models) {
    const path = `/api/agents/${talk.agentId}`
    expect((await talk.user.patch(path, { model_name: model })).status, model).toBe(200)
    await ask()
    const { path: asked, body } = openai.journal.at(-1) ?? {}
    expect({ asked, body }, model).toMatchObject({ asked: '/v1/responses', body: { model } })
  }
  const split = await talk.user.patch(`/api/agents/${talk.agentId}`, { model_name: 'gpt\r\nHost: evil' })
  expect(split.status).toBe(400)
  await talk.user.patch(`/api/agents/${talk.agentId}`, { model_name: 'gpt-5-nano' })
})

test('nobody but an admin can touch a key for everyone, and an admin cannot move it without entering it', async () => {
  const id = await keep(admin, globalKey, { scope: 'global' })
  const path = `/api/credentials/${id}`
  const move = { baseUrl: stranger.baseUrl }
  const steal = { ...move, credentials: { api_key: 'sk-test-of-the-thief' } }
  expect((await talk.user.put(path, steal)).status).toBe(404)
  expect((await talk.user.put(path, move)).status).toBe(404)
  expect((await admin.put(path, move)).status).toBe(400)
  for (const empty of [{}, { api_key: '' }, { api_key: ' ' }, { api_key: null }, null])
    expect((await admin.put(path, { ...move, credentials: empty })).status).toBe(400)
  expect((await ask()).text).toBe(echoOf('Hello'))
  expect(keysHeard()).toEqual([`Bearer ${globalKey}`])
  expect((await admin.put(path, steal)).status).toBe(200)
  await ask()
  expect(stranger.heard()).toContain('Bearer sk-test-of-the-thief')
})

test('a key of one’s own with an address of one’s own takes no other key there (CVE-2024-37895)', async () => {
  await keep(admin, globalKey, { scope: 'global' })
  for (const credentials of [undefined, {}, { api_key: '' }]) {
    const body = { credentialType: 'openai', baseUrl: stranger.baseUrl, credentials }
    expect((await talk.user.post('/api/credentials', body)).status).toBe(400)
  }
  await keep(talk.user, 'sk-test-of-the-thief', { baseUrl: stranger.baseUrl })
  await ask()
  await keep(talk.user, 'sk-test-of-the-thief', { baseUrl: stranger.baseUrl, projectId: talk.projectId })
  await ask()
  expect(stranger.heard()).toContain('Bearer sk-test-of-the-thief')
  expect(keysHeard()).toEqual([])
})

test('what a message or a conversation says besides is refused, and changes no address', async () => {
  await keep(talk.user, ownKey)
  const path = `/api/conversations/${talk.conversationId}/messages`
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  for (const more of [{ base_url: stranger.baseUrl }, { baseUrl: stranger.baseUrl }, { key: {} }])
    expect((await talk.user.post(path, { id, parent_id: null, text: 'Hi', ...more })).status).toBe(400)
})

test.each([
  ['a user name', 'https://api.openai.com@evil.example/v1'],
  ['an empty user name', 'https://@evil.example/v1'],
  ['a user name and a password', 'https://api.openai.com:443@evil.example/v1'],
  ['a coded user name', 'https://api.openai.com%40x@evil.example/v1'],
  ['a backslash', 'https://evil.example\\@api.openai.com/v1'],
  ['backslashes for slashes', 'https:\\\\evil.example\\v1'],
  ['no slashes', 'https:evil.example/v1'],
  ['too many slashes', 'https:////evil.example/v1'],
  ['a fragment', 'https://evil.example/v1#.api.openai.com'],
  ['an empty fragment', 'https://evil.example/v1#'],
  ['a query', 'https://evil.example/v1?x='],
  ['an empty query', 'https://evil.example/v1?'],
  ['a line break', 'https://evil.example/v1\r\nHost: api.openai.com'],
  ['a tab in the host', 'https://evil\t.example/v1'],
  ['another scheme', 'ftp://evil.example/v1'],
  ['a script', 'javascript:alert(1)'],
  ['data', 'data:text/plain,hello'],
  ['a socket', 'unix:/var/run/docker.sock'],
  ['a host that is none', 'https://[::1/v1'],
  ['a port that is none', 'https://evil.example:99999/v1'],
])('an address with %s is not kept', async (_, baseUrl) => {
  const body = { credentialType: 'openai', baseUrl, credentials: { api_key: ownKey } }
  const { status, body: answer } = await talk.user.post('/api/credentials', body)
  expect(status).toBe(400)
  expect(answer.error).toMatchObject({ issues: [{ path: 'baseUrl' }] })
})

test.each([
  ['https://API.OpenAI.com:443/v1/', 'https://api.openai.com/v1'],
  ['https://api.openai.com。evil.example/v1', 'https://api.openai.com.evil.example/v1'],
  ['https://api.openai.com．evil.example/v1', 'https://api.openai.com.evil.example/v1'],
  ['https://api.openai.com.evil.example/v1', 'https://api.openai.com.evil.example/v1'],
  ['https://аpi.openai.com/v1', 'https://xn--pi-6kc.openai.com/v1'],
  ['https://ａｐｉ.openai.com/v1', 'https://api.openai.com/v1'],
  ['https://evil.example/api.openai.com/../v1', 'https://evil.example/v1'],
  ['https://api.openai.com:8443/v1', 'https://api.openai.com:8443/v1'],
  ['http://2130706433:11434/v1', 'http://127.0.0.1:11434/v1'],
])('the address %s is shown as what is called: %s', async (baseUrl, shown) => {
  const id = await keep(talk.user, ownKey, { baseUrl })
  expect((await keysOf(talk.user)).find((key) => key.id === id)?.baseUrl).toBe(shown)
})

test.each([
  'http://10.0.0.5/v1',
  'http://169.254.169.254/latest/meta-data',
  'http://2852039166/',
  'http://[fd00:ec2::254]/v1',
  'http://[::ffff:10.0.0.5]/v1',
  'http://[64:ff9b::a00:5]/v1',
  'http://0.0.0.0:11434/v1',
  'http://[::]:11434/v1',
])('%s is inside the network, and said to be so when a key is to be kept for it', async (baseUrl) => {
  const body = { credentialType: 'openai', baseUrl, credentials: { api_key: ownKey } }
  const { status, body: answer } = await talk.user.post('/api/credentials', body)
  expect(status).toBe(400)
  const message = expect.stringMatching(
    /^AL-Chat does not call addresses inside the server's own network \(.+\)\. An admin/,
  )
  expect(answer.error).toMatchObject({ issues: [{ path: 'baseUrl', message }] })
  const id = await keep(talk.user, ownKey)
  const moved = await talk.user.put(`/api/credentials/${id}`, { baseUrl, credentials: { api_key: ownKey } })
  expect(moved.status).toBe(400)
})

test('a stored key goes where it was kept for, whatever OPENAI_BASE_URL says later; what becomes private is refused', async () => {
  const first = await startServer({ OPENAI_BASE_URL: openai.baseUrl })
  try {
    const boss = await signUp(first.url, 'admin')
    const theirs = await openTalk(first.url, { model_provider: 'openai' })
    await keep(boss, globalKey, { scope: 'global', baseUrl: undefined })
    const own = await keep(theirs.user, ownKey, { baseUrl: openai.baseUrl })
    await first.stop()

    const environment = { OPENAI_BASE_URL: stranger.baseUrl, OPENAI_API_KEY: 'sk-test-of-the-operator' }
    const moved = await first.restart(environment)
    for (const person of [theirs.user, boss]) Object.assign(person, { url: moved.url })
    expect((await ask(theirs)).text).toBe(echoOf('Hello'))
    await theirs.user.delete(`/api/credentials/${own}`)
    expect((await ask(theirs)).text).toBe(echoOf('Hello'))
    expect(keysHeard()).toEqual([`Bearer ${ownKey}`, `Bearer ${globalKey}`])
    expect(stranger.heard()).toBe('')
    await moved.stop()

    // Now it serves others, so that this machine is inside.
    const open = await moved.restart({ ...environment, TRUSTED_PROXIES: '192.0.2.1' })
    for (const person of [theirs.user, boss]) Object.assign(person, { url: open.url })
    const asked = openai.journal.length
    const refusal = `AL-Chat does not call addresses inside the server's own network (127.0.0.1). An admin can allow it with ALLOWED_PROVIDER_HOSTS.`
    expect((await ask(theirs)).error).toBe(refusal)
    const [everyones] = await keysOf(boss)
    const tried = await boss.post(`/api/credentials/${everyones?.id}/test`)
    expect(tried.body).toMatchObject({ ok: false, error: refusal })
    expect(openai.journal).toHaveLength(asked)
    await open.stop()

    const allowing = await open.restart({ ALLOWED_PROVIDER_HOSTS: `127.0.0.1:${openai.port}` })
    Object.assign(theirs.user, { url: allowing.url })
    expect((await ask(theirs)).text).toBe(echoOf('Hello'))
    await allowing.stop()
  } finally {
    await first.close()
  }
})

test('no address of a model server is given away: the server says nothing of what is behind a name', async () => {
  const id = await keep(talk.user, ownKey, {
    credentialType: 'openai-compatible',
    baseUrl: 'http://nowhere.invalid/v1',
  })
  const { body } = await talk.user.post(`/api/credentials/${id}/test`)
  expect(body).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^nowhere\.invalid could not be reached/),
  })
})
