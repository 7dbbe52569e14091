import { randomUUID } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Scope } from '../../lib/contracts/keys'
import { type Caller, callers, gather, type People, World } from '../support/access'
import { Client, password } from '../support/client'
import { formOf } from '../support/files'
import { type KeyCaller, type Keys, keyCallers, makeKeys } from '../support/keys'
import { listRoutes } from '../support/route-files'
import { startServer, type TestServer } from '../support/server'

/*
 * Who may call what. A row for each method of each route; a route without one fails the last test.
 * A status for everyone, or one for each: another's thing is 404, what the role does not allow 403.
 *
 * Before that, which API keys it takes: those with this scope, `any key`, or none (`session`). From that follows what
 * keys get: with the scope, the owner's gets what the owner gets; without it 403, even with all other scopes and an
 * admin's rights; bound to another project, what a stranger gets; revoked or run out, 401. A token for the server's access
 * key is like a stranger's key with `chat` and `gateway`. A row says where it is not so.
 */

type Call = { path?: string; body?: unknown; token?: string; isEndless?: boolean }
type ByCaller = Record<Caller, number>
type Expected = number | ByCaller
type Takes = Scope | 'any key' | 'session' | 'anyone'
type Row = [
  method: string,
  route: string,
  takes: Takes,
  make: (world: World) => Promise<Call>,
  expected: Expected,
  ofKeys?: Partial<Record<KeyCaller, number>>,
]

const nothing = async (): Promise<Call> => ({})
const accessKey = 'the access key of the matrix'
const projectName = 'Project'

/** Signed in, whoever it is. */
const everyone = (status: number): ByCaller => ({
  anonymous: 401,
  stranger: status,
  viewer: status,
  editor: status,
  owner: status,
  admin: status,
})
/** In a project: members from this role on; others who see it 403, strangers 404. */
const members = (from: 'viewer' | 'editor' | 'owner', status: number): ByCaller => ({
  anonymous: 401,
  stranger: 404,
  viewer: from === 'viewer' ? status : 403,
  editor: from === 'owner' ? 403 : status,
  owner: status,
  admin: 404,
})
/** The owner's own, which fellow members do not see either. */
const only = (caller: 'owner' | 'admin', status: number): ByCaller => ({
  ...everyone(404),
  [caller]: status,
})
const admins = (status: number): ByCaller => ({ ...everyone(403), admin: status })

const project = async (world: World) => `/api/projects/${await world.project()}`
const agent = async (world: World) => `/api/agents/${await world.agent()}`
const prompt = async (world: World) => `/api/prompts/${await world.prompt()}`
const key = (scope: 'user' | 'project' | 'global') => async (world: World) =>
  `/api/credentials/${await world.credential(scope)}`
const conversation = async (world: World) => `/api/conversations/${await world.conversation()}`
const apiKey = async (world: World) => `/api/keys/${await world.apiKey()}`
const file = async (world: World) => `/api/files/${await world.file()}`
const sharedFile = async (world: World) => `/api/files/${await world.file(true)}`
const reply = async (world: World) => `/api/replies/${(await world.reply()).id}`

const chatSession = async (world: World) => `/api/sessions/${await world.chatSession()}`
/** The day that a new session of the owner's began on. */
const dayOf = async (world: World) =>
  (await world.chatSession()).replace(/^session_(\d{4})(\d\d)(\d\d).*/, '$1-$2-$3')
const about =
  (deed: 'leave' | 'metric' | 'stop', more = {}) =>
  async (world: World): Promise<Call> => ({
    path: `/api/session/${deed}`,
    body: { session_id: await world.chatSession(), ...more },
  })
const ownersAndAdmins = (status: number): ByCaller => ({ ...only('owner', status), admin: status })

/** A call of this thing, of what is below it, with a body. */
const at =
  (thing: (world: World) => Promise<string>, below = '', body?: unknown) =>
  async (world: World): Promise<Call> => ({ path: (await thing(world)) + below, body })

const newKey = (more: object) => ({
  credentialType: 'openai',
  credentials: { api_key: 'sk-test-of-the-matrix' },
  ...more,
})

const rows: Row[] = [
  ['GET', '/health', 'anyone', nothing, 200],
  ['GET', '/api/health', 'anyone', nothing, 200],
  // From this machine; tests/api/metrics.test.ts has the others.
  ['GET', '/metrics', 'anyone', nothing, 200],
  ['GET', '/api/openai/info', 'portal:read', nothing, everyone(200)],
  ['GET', '/api/openai/usage', 'portal:read', nothing, everyone(200)],
  ['GET', '/api/openai/usage/export', 'portal:read', nothing, everyone(200)],
  ['GET', '/api/admin/prices', 'session', nothing, { ...everyone(403), admin: 200 }],
  [
    'PUT',
    '/api/admin/prices',
    'session',
    async () => ({ body: { model: 'model-of-the-matrix', price: null } }),
    { ...everyone(403), admin: 204 },
  ],

  [
    'POST',
    '/api/auth/register',
    'anyone',
    async () => ({ body: { email: `${randomUUID()}@example.com`, password } }),
    201,
  ],
  ['POST', '/api/auth/login', 'anyone', async ({ me }) => ({ body: { email: me.email, password } }), 200],
  [
    'POST',
    '/api/auth/logout',
    'session',
    async (world) => ({ token: (await world.session()).token }),
    everyone(204),
  ],
  ['POST', '/api/auth', 'anyone', async () => ({ body: { access_key: accessKey } }), 200],
  ['GET', '/api/auth/me', 'any key', nothing, everyone(200)],
  ['GET', '/api/auth/sessions', 'session', nothing, everyone(200)],
  [
    'DELETE',
    '/api/auth/sessions/[sessionId]',
    'session',
    async (world) => ({ path: `/api/auth/sessions/${(await world.session()).id}` }),
    only('owner', 204),
  ],
  [
    'POST',
    '/api/auth/password',
    'session',
    async () => ({ body: { current: password, next: password } }),
    everyone(204),
  ],

  ['GET', '/api/projects', 'portal:read', nothing, everyone(200)],
  [
    'POST',
    '/api/projects',
    'portal:write',
    async () => ({ body: { name: 'New' } }),
    everyone(201),
    { elsewhere: 403 },
  ],
  ['GET', '/api/projects/[projectId]', 'portal:read', at(project), members('viewer', 200)],
  [
    'PATCH',
    '/api/projects/[projectId]',
    'portal:write',
    at(project, '', { name: 'Other' }),
    members('editor', 200),
  ],
  ['DELETE', '/api/projects/[projectId]', 'portal:write', at(project), members('owner', 409)],
  [
    'DELETE',
    '/api/projects/[projectId]',
    'portal:write',
    at(project, `?confirm=${projectName}`),
    members('owner', 204),
  ],
  ['GET', '/api/projects/[projectId]/agents', 'portal:read', at(project, '/agents'), members('viewer', 200)],
  [
    'POST',
    '/api/projects/[projectId]/agents',
    'portal:write',
    at(project, '/agents', { name: 'New' }),
    members('editor', 201),
  ],
  [
    'GET',
    '/api/projects/[projectId]/members',
    'portal:read',
    at(project, '/members'),
    members('viewer', 200),
  ],
  [
    'POST',
    '/api/projects/[projectId]/members',
    'portal:write',
    async (world) => ({
      path: `${await project(world)}/members`,
      body: { user_id: world.people.stranger.userId, role: 'viewer' },
    }),
    members('owner', 201),
  ],
  [
    'PATCH',
    '/api/projects/[projectId]/members/[userId]',
    'portal:write',
    async (world) => ({
      path: `${await project(world)}/members/${world.people.editor.userId}`,
      body: { role: 'owner' },
    }),
    members('owner', 200),
  ],
  [
    'DELETE',
    '/api/projects/[projectId]/members/[userId]',
    'portal:write',
    async (world) => ({ path: `${await project(world)}/members/${world.people.viewer.userId}` }),
    { anonymous: 401, stranger: 404, viewer: 204, editor: 403, owner: 204, admin: 404 },
  ],

  ['GET', '/api/agents/[agentId]', 'portal:read', at(agent), members('viewer', 200)],
  [
    'PATCH',
    '/api/agents/[agentId]',
    'portal:write',
    at(agent, '', { name: 'Other' }),
    members('editor', 200),
  ],
  ['DELETE', '/api/agents/[agentId]', 'portal:write', at(agent), members('editor', 204)],
  [
    'GET',
    '/api/agents/[agentId]/credential',
    'portal:read',
    at(agent, '/credential'),
    members('viewer', 200),
  ],
  [
    'GET',
    '/api/agents/[agentId]/credential',
    'portal:read',
    // For another user only an admin may ask, of whatever that user has a share in.
    async (world) => ({
      path: `${await agent(world)}/credential?user_id=${world.people[world.caller === 'owner' ? 'editor' : 'owner'].userId}`,
    }),
    admins(200),
  ],
  ['GET', '/api/agents/[agentId]/versions', 'portal:read', at(agent, '/versions'), members('viewer', 200)],
  [
    'POST',
    '/api/agents/[agentId]/versions/[version]/restore',
    'portal:write',
    at(agent, '/versions/1/restore', {}),
    members('editor', 200),
  ],
  ['GET', '/api/agents/[agentId]/prompts', 'portal:read', at(agent, '/prompts'), members('viewer', 200)],
  [
    'POST',
    '/api/agents/[agentId]/prompts',
    'portal:write',
    at(agent, '/prompts', { title: 'New', content: '' }),
    members('editor', 201),
  ],
  [
    'POST',
    '/api/agents/[agentId]/conversations',
    'chat',
    at(agent, '/conversations', {}),
    members('viewer', 201),
  ],
  ['GET', '/api/prompts/[promptId]', 'portal:read', at(prompt), members('viewer', 200)],
  [
    'PATCH',
    '/api/prompts/[promptId]',
    'portal:write',
    at(prompt, '', { title: 'Other' }),
    members('editor', 200),
  ],
  ['DELETE', '/api/prompts/[promptId]', 'portal:write', at(prompt), members('editor', 204)],

  // To a key that may read keys, this is the question for one, and a question for none is none.
  ['GET', '/api/credentials', 'portal:read', nothing, everyone(200), { otherScopes: 400 }],
  [
    'POST',
    '/api/credentials',
    'portal:write',
    async () => ({ body: newKey({}) }),
    everyone(201),
    { elsewhere: 403 },
  ],
  [
    'POST',
    '/api/credentials',
    'portal:write',
    async (world) => ({ body: newKey({ projectId: await world.project() }) }),
    members('editor', 201),
  ],
  [
    'POST',
    '/api/credentials',
    'portal:write',
    async () => ({ body: newKey({ scope: 'global' }) }),
    admins(201),
  ],
  [
    'PUT',
    '/api/credentials/[credentialId]',
    'portal:write',
    at(key('user'), '', { label: 'x' }),
    only('owner', 200),
  ],
  [
    'PUT',
    '/api/credentials/[credentialId]',
    'portal:write',
    at(key('project'), '', { label: 'x' }),
    members('editor', 200),
  ],
  [
    'PUT',
    '/api/credentials/[credentialId]',
    'portal:write',
    at(key('global'), '', { label: 'x' }),
    only('admin', 200),
  ],
  ['DELETE', '/api/credentials/[credentialId]', 'portal:write', at(key('user')), only('owner', 204)],
  ['DELETE', '/api/credentials/[credentialId]', 'portal:write', at(key('project')), members('editor', 204)],
  ['DELETE', '/api/credentials/[credentialId]', 'portal:write', at(key('global')), only('admin', 204)],
  [
    'POST',
    '/api/credentials/[credentialId]/test',
    'portal:write',
    at(key('user'), '/test', {}),
    only('owner', 200),
  ],
  [
    'POST',
    '/api/credentials/[credentialId]/test',
    'portal:write',
    at(key('project'), '/test', {}),
    members('editor', 200),
  ],
  [
    'POST',
    '/api/credentials/[credentialId]/test',
    'portal:write',
    at(key('global'), '/test', {}),
    only('admin', 200),
  ],
  [
    'GET',
    '/api/credentials/global/[type]',
    'credentials:read',
    async () => ({ path: '/api/credentials/global/openai' }),
    everyone(403),
  ],
  ['POST', '/api/credentials/rotate', 'session', nothing, admins(202)],

  ['GET', '/api/keys', 'session', nothing, everyone(200)],
  ['POST', '/api/keys', 'session', async () => ({ body: { name: 'New', scopes: ['chat'] } }), everyone(201)],
  [
    'POST',
    '/api/keys',
    'session',
    async (world) => ({ body: { name: 'New', scopes: ['chat'], project_id: await world.project() } }),
    members('viewer', 201),
  ],
  [
    'POST',
    '/api/keys',
    'session',
    async () => ({ body: { name: 'New', scopes: ['credentials:read'] } }),
    admins(201),
  ],
  ['GET', '/api/keys/[keyId]', 'session', at(apiKey), only('owner', 200)],
  ['PATCH', '/api/keys/[keyId]', 'session', at(apiKey, '', { name: 'Other' }), only('owner', 200)],
  ['DELETE', '/api/keys/[keyId]', 'session', at(apiKey), only('owner', 204)],
  ['GET', '/api/keys/[keyId]/traffic', 'session', at(apiKey, '/traffic'), only('owner', 200)],

  ['GET', '/api/admin/users', 'session', nothing, admins(200)],
  [
    'PATCH',
    '/api/admin/users/[userId]',
    'session',
    async (world) => ({ path: await world.account(), body: { disabled: true } }),
    admins(200),
  ],
  [
    'DELETE',
    '/api/admin/users/[userId]/sessions',
    'session',
    async (world) => ({ path: `${await world.account()}/sessions` }),
    admins(204),
  ],
  ['GET', '/api/admin/users/invite', 'session', nothing, admins(200)],
  [
    'POST',
    '/api/admin/users/invite',
    'session',
    async () => ({ body: { email: `${randomUUID()}@example.com` } }),
    admins(201),
  ],
  [
    'DELETE',
    '/api/admin/users/invite/[invitationId]',
    'session',
    async (world) => ({ path: await world.invitation() }),
    admins(204),
  ],
  ['GET', '/api/audit', 'session', nothing, admins(200)],
  ['GET', '/api/audit/export', 'session', nothing, admins(200)],

  ['POST', '/api/session/start', 'chat', async () => ({ body: {} }), everyone(200)],
  ['POST', '/api/session/metric', 'chat', about('metric', { metrics: { clicks: 1 } }), only('owner', 200)],
  ['POST', '/api/session/leave', 'chat', about('leave'), only('owner', 202)],
  ['POST', '/api/session/stop', 'chat', about('stop'), only('owner', 200)],
  ['GET', '/api/sessions', 'portal:read', nothing, everyone(200)],
  ['GET', '/api/sessions/[sessionId]', 'portal:read', at(chatSession), ownersAndAdmins(200)],
  ['GET', '/api/sessions/[sessionId]/log', 'portal:read', at(chatSession, '/log'), ownersAndAdmins(200)],
  [
    'GET',
    '/api/sessions/log',
    'portal:read',
    async (world) => ({ path: `/api/sessions/log?day=${await dayOf(world)}` }),
    admins(200),
  ],

  // Who may ask is told that they ask nothing.
  ['POST', '/api/chat', 'chat', async () => ({ body: { message: ' ' } }), everyone(400)],
  // This agent has no key.
  [
    'POST',
    '/api/chat/agents/[agentId]',
    'chat',
    async (world) => ({
      path: `/api/chat/agents/${await world.agent()}`,
      body: { message: 'Hello' },
    }),
    members('viewer', 502),
  ],

  // Sessions are none of what may launch; which keys may, tests/api/launch.test.ts tells.
  ['POST', '/api/launch', 'launch', async ({ me }) => ({ body: { username: me.email } }), everyone(403)],
  ['GET', '/launch', 'anyone', nothing, 401],
  ['POST', '/launch', 'anyone', nothing, 401],

  ['GET', '/api/conversations', 'chat', nothing, everyone(200)],
  ['GET', '/api/conversations/[conversationId]', 'chat', at(conversation), only('owner', 200)],
  [
    'PATCH',
    '/api/conversations/[conversationId]',
    'chat',
    at(conversation, '', { title: 'Other' }),
    only('owner', 200),
  ],
  ['DELETE', '/api/conversations/[conversationId]', 'chat', at(conversation), only('owner', 204)],
  [
    'POST',
    '/api/conversations/[conversationId]/messages',
    'chat',
    async (world) => ({
      path: `${await conversation(world)}/messages`,
      body: { id: newId(), parent_id: null, text: 'Hello' },
    }),
    only('owner', 202),
  ],
  [
    'POST',
    '/api/messages/[messageId]/edit',
    'chat',
    async (world) => ({
      path: `/api/messages/${(await world.reply()).messageId}/edit`,
      body: { id: newId(), text: 'Hello again' },
    }),
    only('owner', 202),
  ],
  [
    'POST',
    '/api/messages/[messageId]/regenerate',
    'chat',
    async (world) => ({
      path: `/api/messages/${(await world.reply()).answerId}/regenerate`,
      body: { id: newId() },
    }),
    only('owner', 202),
  ],
  [
    'POST',
    '/api/messages/[messageId]/continue',
    'chat',
    async (world) => ({
      path: `/api/messages/${(await world.reply()).answerId}/continue`,
      body: { id: newId() },
    }),
    // A whole answer: who may, is told that there is nothing to continue.
    only('owner', 400),
  ],
  ['GET', '/api/replies/[replyId]/events', 'chat', at(reply, '/events'), only('owner', 200)],
  ['DELETE', '/api/replies/[replyId]', 'chat', at(reply), only('owner', 202)],
  ['GET', '/api/events', 'chat', async () => ({ isEndless: true }), everyone(200)],

  ['GET', '/api/files', 'chat', nothing, everyone(200)],
  [
    'POST',
    '/api/files/upload',
    'chat',
    async (world) => ({ body: formOf('file.txt', 'A text', { project_id: await world.project() }) }),
    members('editor', 201),
  ],
  ['GET', '/api/files/[fileId]', 'chat', at(file), only('owner', 200)],
  ['GET', '/api/files/[fileId]/content', 'chat', at(sharedFile, '/content'), members('viewer', 200)],
  ['DELETE', '/api/files/[fileId]', 'chat', at(sharedFile), members('owner', 204)],

  // Nobody has a key of a model server here: who may call is told so, or what the demo model lacks.
  ['POST', '/api/v1/chat/completions', 'gateway', async () => ({ body: {} }), everyone(400)],
  ...['/completions', '/responses/compact', '/embeddings', '/images/generations', '/moderations'].map(
    (path): Row => ['POST', `/api/v1${path}`, 'gateway', async () => ({ body: {} }), everyone(502)],
  ),
  [
    'POST',
    '/api/v1/files',
    'gateway',
    async () => ({ body: formOf('file.txt', 'A text', { purpose: 'batch' }) }),
    everyone(502),
  ],
  ['GET', '/api/v1/files', 'gateway', nothing, everyone(200)],
  // Nobody has any; tests/api/gateway-files.test.ts has those of others.
  ...['GET', 'DELETE'].map(
    (method): Row => [
      method,
      '/api/v1/files/[fileId]',
      'gateway',
      async () => ({ path: '/api/v1/files/file-of-nobody' }),
      everyone(404),
    ],
  ),
  [
    'GET',
    '/api/v1/files/[fileId]/content',
    'gateway',
    async () => ({ path: '/api/v1/files/file-of-nobody/content' }),
    everyone(404),
  ],
  // The demo model is asked what it lacks.
  ['POST', '/api/v1/responses', 'gateway', async () => ({ body: {} }), everyone(400)],
  // Nobody has made a response; whose one is, tests/api/gateway-responses.test.ts tells.
  ...[
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/cancel'],
    ['GET', '/input_items'],
  ].map(
    ([method = '', about]): Row => [
      method,
      `/api/v1/responses/[responseId]${about}`,
      'gateway',
      async () => ({ path: `/api/v1/responses/resp_of_nobody${about}` }),
      everyone(404),
    ],
  ),
  ...['/completion', '/embeddings', '/images/generate'].map(
    (path): Row => ['POST', `/api${path}`, 'gateway', async () => ({ body: {} }), everyone(502)],
  ),
  // What there is without one is the demo model, and agents.
  ...['/api/models', '/api/v1/models'].map((path): Row => ['GET', path, 'gateway', nothing, everyone(200)]),
  [
    'GET',
    '/api/v1/models/[...model]',
    'gateway',
    async () => ({ path: '/api/v1/models/demo' }),
    everyone(200),
  ],
  [
    'GET',
    '/api/v1/models/[...model]',
    'gateway',
    async (world) => ({ path: `/api/v1/models/agent:${await world.agent()}` }),
    members('viewer', 200),
  ],
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map(
    (method): Row => [
      method,
      '/api/v1/[[...path]]',
      'anyone',
      async () => ({ path: '/api/v1/not/there' }),
      404,
    ],
  ),

  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map(
    (method): Row => [method, '/api/[[...path]]', 'anyone', async () => ({ path: '/api/not/there' }), 404],
  ),
]

let server: TestServer
let people: People
let keys: Keys

beforeAll(async () => {
  server = await startServer({ ACCESS_KEY: accessKey })
  people = await gather(server.url)
  keys = await makeKeys(people, accessKey)
})
afterAll(() => server.close())

async function statusOf(
  token: string | null,
  method: string,
  { path, body, isEndless }: Call & { path: string },
) {
  const client = new Client(server.url, token)
  return isEndless ? client.peek(path) : client.call(method, path, { body })
}

const accessTakes = new Set<Takes>(['chat', 'gateway', 'any key'])

// What is told where nobody has a key of a model server comes first: other rows make some.
const isOfGateway = ([, , takes]: Row) => takes === 'gateway'
for (const some of [rows.filter(isOfGateway), rows.filter((row) => !isOfGateway(row))]) {
  callAsPeople(some)
  callWithKeys(some.filter(([, , takes]) => takes !== 'anyone'))
}

function callAsPeople(called: Row[]): void {
  describe.each(called)('%s %s', (method, route, _takes, make, expected) => {
    test.each(callers)('called by %s', async (caller) => {
      const world = new World(people, caller)
      const { path = route, token = world.me.token, ...call } = await make(world)
      const answer = await statusOf(caller === 'anonymous' ? null : token, method, { path, ...call })
      expect(answer.status, answer.text).toBe(typeof expected === 'number' ? expected : expected[caller])
    })
  })
}

function callWithKeys(called: Row[]): void {
  describe.each(called)('%s %s', (method, route, takes, make, ...rest) => {
    test.each(keyCallers)('called with a key: %s', async (caller) => {
      const expected = ofKey(caller, takes, ...rest)
      // Who is refused for the key is refused before anybody looks what the call is about.
      const isRefused =
        expected === 401 ||
        takes === 'session' ||
        (caller === 'otherScopes' && takes !== 'any key') ||
        (caller === 'accessToken' && !accessTakes.has(takes))
      const nobodys = { path: route.replaceAll(/\[\w+\]/g, randomUUID()) }
      const { path = route, ...call } = isRefused ? nobodys : await make(new World(people, 'owner'))
      const answer = await statusOf(keys[caller](takes), method, { path, ...call })
      expect(answer.status, answer.text).toBe(expected)
    })
  })
}

/** What a call gets with such a key, by the rules at the head of this file. */
function ofKey(caller: KeyCaller, takes: Takes, expected: Expected, ofKeys: Row[5] = {}): number {
  const usual = typeof expected === 'number' ? { owner: expected, stranger: expected } : expected
  const status = {
    rightScope: takes === 'session' ? 403 : usual.owner,
    otherScopes: takes === 'any key' ? usual.owner : 403,
    elsewhere: takes === 'session' ? 403 : usual.stranger,
    revoked: 401,
    expired: 401,
    accessToken: accessTakes.has(takes) ? usual.stranger : 403,
  }
  return ofKeys[caller] ?? status[caller]
}

/** What a route takes, by its own word. */
async function askMethods(route: string): Promise<string[]> {
  const path = route.replace(/\[\[?\.\.\.\w+\]\]?/, 'not/there').replaceAll(/\[\w+\]/g, randomUUID())
  const { headers } = await new Client(server.url).call('OPTIONS', path)
  const allowed = (headers.get('allow') ?? '').split(/,\s*/)
  return allowed.filter((method) => !['', 'HEAD', 'OPTIONS'].includes(method))
}

test('every method of every route has a row here, and every row a route', async () => {
  const routes = listRoutes()
  expect(routes.length).toBeGreaterThan(20)
  const served = await Promise.all(
    routes.map(async (route) => (await askMethods(route)).map((method) => `${method} ${route}`)),
  )
  for (const [index, methods] of served.entries()) expect(methods, routes[index]).not.toEqual([])
  const listed = new Set(rows.map(([method, route]) => `${method} ${route}`))
  expect([...listed].sort()).toEqual(served.flat().sort())
})
