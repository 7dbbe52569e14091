import { randomUUID } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Caller, callers, gather, type People, World } from '../support/access'
import { Client, password } from '../support/client'
import { listRoutes } from '../support/route-files'
import { startServer, type TestServer } from '../support/server'

/*
 * Who may call what. A row for each method of each route; a route without one fails the last test.
 * A status for everyone, or one for each: another's thing is 404, what the role does not allow 403.
 */

type Call = { path?: string; body?: unknown; token?: string; isEndless?: boolean }
type ByCaller = Record<Caller, number>
type Expected = number | ByCaller
type Row = [method: string, route: string, make: (world: World) => Promise<Call>, expected: Expected]

const nothing = async (): Promise<Call> => ({})
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

const project = async (world: World) => `/api/projects/${await world.project()}`
const agent = async (world: World) => `/api/agents/${await world.agent()}`
const prompt = async (world: World) => `/api/prompts/${await world.prompt()}`
const key = (scope: 'user' | 'project' | 'global') => async (world: World) =>
  `/api/credentials/${await world.credential(scope)}`
const conversation = async (world: World) => `/api/conversations/${await world.conversation()}`
const reply = async (world: World) => `/api/replies/${(await world.reply()).id}`

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
  ['GET', '/health', nothing, 200],
  ['GET', '/api/health', nothing, 200],
  ['GET', '/api/openai/info', nothing, everyone(200)],

  [
    'POST',
    '/api/auth/register',
    async () => ({ body: { email: `${randomUUID()}@example.com`, password } }),
    201,
  ],
  ['POST', '/api/auth/login', async ({ me }) => ({ body: { email: me.email, password } }), 200],
  ['POST', '/api/auth/logout', async (world) => ({ token: (await world.session()).token }), everyone(204)],
  ['GET', '/api/auth/me', nothing, everyone(200)],
  ['GET', '/api/auth/sessions', nothing, everyone(200)],
  [
    'DELETE',
    '/api/auth/sessions/[sessionId]',
    async (world) => ({ path: `/api/auth/sessions/${(await world.session()).id}` }),
    only('owner', 204),
  ],
  [
    'POST',
    '/api/auth/password',
    async () => ({ body: { current: password, next: password } }),
    everyone(204),
  ],

  ['GET', '/api/projects', nothing, everyone(200)],
  ['POST', '/api/projects', async () => ({ body: { name: 'New' } }), everyone(201)],
  ['GET', '/api/projects/[projectId]', at(project), members('viewer', 200)],
  ['PATCH', '/api/projects/[projectId]', at(project, '', { name: 'Other' }), members('editor', 200)],
  ['DELETE', '/api/projects/[projectId]', at(project), members('owner', 409)],
  ['DELETE', '/api/projects/[projectId]', at(project, `?confirm=${projectName}`), members('owner', 204)],
  ['GET', '/api/projects/[projectId]/agents', at(project, '/agents'), members('viewer', 200)],
  [
    'POST',
    '/api/projects/[projectId]/agents',
    at(project, '/agents', { name: 'New' }),
    members('editor', 201),
  ],
  ['GET', '/api/projects/[projectId]/members', at(project, '/members'), members('viewer', 200)],
  [
    'POST',
    '/api/projects/[projectId]/members',
    async (world) => ({
      path: `${await project(world)}/members`,
      body: { user_id: world.people.stranger.userId, role: 'viewer' },
    }),
    members('owner', 201),
  ],
  [
    'PATCH',
    '/api/projects/[projectId]/members/[userId]',
    async (world) => ({
      path: `${await project(world)}/members/${world.people.editor.userId}`,
      body: { role: 'owner' },
    }),
    members('owner', 200),
  ],
  [
    'DELETE',
    '/api/projects/[projectId]/members/[userId]',
    async (world) => ({ path: `${await project(world)}/members/${world.people.viewer.userId}` }),
    { anonymous: 401, stranger: 404, viewer: 204, editor: 403, owner: 204, admin: 404 },
  ],

  ['GET', '/api/agents/[agentId]', at(agent), members('viewer', 200)],
  ['PATCH', '/api/agents/[agentId]', at(agent, '', { name: 'Other' }), members('editor', 200)],
  ['DELETE', '/api/agents/[agentId]', at(agent), members('editor', 204)],
  ['GET', '/api/agents/[agentId]/versions', at(agent, '/versions'), members('viewer', 200)],
  [
    'POST',
    '/api/agents/[agentId]/versions/[version]/restore',
    at(agent, '/versions/1/restore', {}),
    members('editor', 200),
  ],
  ['GET', '/api/agents/[agentId]/prompts', at(agent, '/prompts'), members('viewer', 200)],
  [
    'POST',
    '/api/agents/[agentId]/prompts',
    at(agent, '/prompts', { title: 'New', content: '' }),
    members('editor', 201),
  ],
  ['POST', '/api/agents/[agentId]/conversations', at(agent, '/conversations', {}), members('viewer', 201)],
  ['GET', '/api/prompts/[promptId]', at(prompt), members('viewer', 200)],
  ['PATCH', '/api/prompts/[promptId]', at(prompt, '', { title: 'Other' }), members('editor', 200)],
  ['DELETE', '/api/prompts/[promptId]', at(prompt), members('editor', 204)],

  ['GET', '/api/credentials', nothing, everyone(200)],
  ['POST', '/api/credentials', async () => ({ body: newKey({}) }), everyone(201)],
  [
    'POST',
    '/api/credentials',
    async (world) => ({ body: newKey({ projectId: await world.project() }) }),
    members('editor', 201),
  ],
  [
    'POST',
    '/api/credentials',
    async () => ({ body: newKey({ scope: 'global' }) }),
    { ...everyone(403), admin: 201 },
  ],
  ['PUT', '/api/credentials/[credentialId]', at(key('user'), '', { label: 'x' }), only('owner', 200)],
  ['PUT', '/api/credentials/[credentialId]', at(key('project'), '', { label: 'x' }), members('editor', 200)],
  ['PUT', '/api/credentials/[credentialId]', at(key('global'), '', { label: 'x' }), only('admin', 200)],
  ['DELETE', '/api/credentials/[credentialId]', at(key('user')), only('owner', 204)],
  ['DELETE', '/api/credentials/[credentialId]', at(key('project')), members('editor', 204)],
  ['DELETE', '/api/credentials/[credentialId]', at(key('global')), only('admin', 204)],
  ['POST', '/api/credentials/rotate', nothing, { ...everyone(403), admin: 202 }],
  ['POST', '/api/credentials/[credentialId]/test', at(key('user'), '/test', {}), only('owner', 200)],
  ['POST', '/api/credentials/[credentialId]/test', at(key('project'), '/test', {}), members('editor', 200)],
  ['POST', '/api/credentials/[credentialId]/test', at(key('global'), '/test', {}), only('admin', 200)],

  ['GET', '/api/conversations', nothing, everyone(200)],
  ['GET', '/api/conversations/[conversationId]', at(conversation), only('owner', 200)],
  [
    'PATCH',
    '/api/conversations/[conversationId]',
    at(conversation, '', { title: 'Other' }),
    only('owner', 200),
  ],
  ['DELETE', '/api/conversations/[conversationId]', at(conversation), only('owner', 204)],
  [
    'POST',
    '/api/conversations/[conversationId]/messages',
    async (world) => ({
      path: `${await conversation(world)}/messages`,
      body: { id: newId(), parent_id: null, text: 'Hello' },
    }),
    only('owner', 202),
  ],
  [
    'POST',
    '/api/messages/[messageId]/edit',
    async (world) => ({
      path: `/api/messages/${(await world.reply()).messageId}/edit`,
      body: { id: newId(), text: 'Hello again' },
    }),
    only('owner', 202),
  ],
  [
    'POST',
    '/api/messages/[messageId]/regenerate',
    async (world) => ({
      path: `/api/messages/${(await world.reply()).answerId}/regenerate`,
      body: { id: newId() },
    }),
    only('owner', 202),
  ],
  [
    'POST',
    '/api/messages/[messageId]/continue',
    async (world) => ({
      path: `/api/messages/${(await world.reply()).answerId}/continue`,
      body: { id: newId() },
    }),
    // A whole answer: who may, is told that there is nothing to continue.
    only('owner', 400),
  ],
  ['GET', '/api/replies/[replyId]/events', at(reply, '/events'), only('owner', 200)],
  ['DELETE', '/api/replies/[replyId]', at(reply), only('owner', 202)],
  ['GET', '/api/events', async () => ({ isEndless: true }), everyone(200)],

  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map(
    (method): Row => [method, '/api/[[...path]]', async () => ({ path: '/api/not/there' }), 404],
  ),
]

let server: TestServer
let people: People

beforeAll(async () => {
  server = await startServer()
  people = await gather(server.url)
})
afterAll(() => server.close())

describe.each(rows)('%s %s', (method, route, make, expected) => {
  test.each(callers)('called by %s', async (caller) => {
    const world = new World(people, caller)
    const { path = route, body, token = world.me.token, isEndless } = await make(world)
    const client = new Client(server.url, caller === 'anonymous' ? null : token)
    const answer = isEndless ? await client.peek(path) : await client.call(method, path, { body })
    expect(answer.status, answer.text).toBe(typeof expected === 'number' ? expected : expected[caller])
  })
})

/** What a route takes, by its own word. */
async function askMethods(route: string): Promise<string[]> {
  const path = route.replace(/\[\[\.\.\.\w+\]\]/, 'not/there').replaceAll(/\[\w+\]/g, randomUUID())
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
