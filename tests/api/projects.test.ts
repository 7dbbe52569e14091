import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type Client, type Json, signUp } from '../support/client'
import { startServer, type TestServer } from '../support/server'

type Person = Client & { email: string; userId: string }

let server: TestServer
let ada: Person
let eve: Person

beforeAll(async () => {
  server = await startServer()
  // The first account of a server is its admin's; these two are not.
  await signUp(server.url, 'admin')
  ada = await signUp(server.url, 'ada')
  eve = await signUp(server.url, 'eve')
})
afterAll(() => server.close())

async function made(call: Promise<Answer>, status = 201): Promise<Json> {
  const answer = await call
  expect(answer.text && answer.status, answer.text).toBe(status)
  return answer.body
}

const makeProject = async (name = 'Engines') => String((await made(ada.post('/api/projects', { name }))).id)
const makeAgent = async (projectId: string, settings: object = {}) =>
  made(ada.post(`/api/projects/${projectId}/agents`, { name: 'Analyst', ...settings }))

const ids = (body: Json) => (body.items as unknown as { id: string }[]).map(({ id }) => id)

test('a project is made, read, renamed and deleted; names are trimmed', async () => {
  const project = await made(ada.post('/api/projects', { name: '  Engines \n', description: 'Of all kinds' }))
  expect(project).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    name: 'Engines',
    description: 'Of all kinds',
    role: 'owner',
    agent_count: 0,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    updated_at: expect.stringMatching(/Z$/),
  })
  const path = `/api/projects/${project.id}`
  expect((await ada.get(path)).body).toEqual(project)
  expect((await ada.patch(path, { name: ' Difference ' })).body).toMatchObject({
    name: 'Difference',
    description: 'Of all kinds',
  })
  expect((await ada.delete(`${path}?confirm=Difference`)).status).toBe(204)
  expect((await ada.get(path)).status).toBe(404)
})

test.each([
  ['an empty name', { name: '' }],
  ['a name of spaces', { name: '   ' }],
  ['a name of 121 characters', { name: 'x'.repeat(121) }],
  ['a name of two lines', { name: 'a\nb' }],
  ['a name that is a number', { name: 7 }],
  ['a description of 2001 characters', { name: 'x', description: 'x'.repeat(2001) }],
  ['a description with U+0000', { name: 'x', description: 'a\u0000b' }],
  ['an unknown field', { name: 'x', owner: 'me' }],
  ['a field named __proto__', JSON.parse('{"name":"x","__proto__":{"a":1}}')],
  ['null', null],
  ['a list', []],
])('a project with %s is refused with the place of the fault', async (_, body) => {
  const { status, body: answer } = await ada.post('/api/projects', body)
  expect(status).toBe(400)
  expect(answer.error).toMatchObject({ code: 'invalid_input', issues: [{ message: expect.any(String) }] })
})

test('a project with something in it goes only after its name was given, and says what would go', async () => {
  const projectId = await makeProject('Precious')
  const { id: agentId } = await makeAgent(projectId)
  await made(ada.post(`/api/agents/${agentId}/prompts`, { title: 'Sum', content: 'Sum {{it}}' }))
  await made(ada.post(`/api/agents/${agentId}/conversations`, {}))
  await made(ada.post(`/api/projects/${projectId}/members`, { email: eve.email, role: 'viewer' }))
  for (const query of ['', '?confirm=', '?confirm=precious', '?confirm=Precious2']) {
    const { status, body } = await ada.delete(`/api/projects/${projectId}${query}`)
    expect(status).toBe(409)
    expect(body.error).toMatchObject({
      code: 'conflict',
      facts: { agents: 1, prompts: 1, conversations: 1, members: 2 },
    })
  }
  expect((await ada.get(`/api/agents/${agentId}`)).status).toBe(200)
  expect((await ada.delete(`/api/projects/${projectId}?confirm=Precious`)).status).toBe(204)
  expect((await ada.get(`/api/agents/${agentId}`)).status).toBe(404)
})

test('pages hold every project once, newest first, while others are added', async () => {
  const someone = await signUp(server.url)
  const names = Array.from({ length: 7 }, (_, n) => `Project ${n}`)
  for (const name of names) await someone.post('/api/projects', { name })
  const seen: string[] = []
  let cursor: string | null = null
  for (let page = 0; page < 10; page += 1) {
    const { body, status } = await someone.get(`/api/projects?limit=3${cursor ? `&cursor=${cursor}` : ''}`)
    expect(status).toBe(200)
    seen.push(...(body.items as unknown as { name: string }[]).map(({ name }) => name))
    cursor = body.next_cursor as unknown as string | null
    if (cursor === null) break
    expect(cursor).toMatch(/^[\w-]+$/)
    await someone.post('/api/projects', { name: 'Later' })
  }
  expect(seen).toEqual(names.toReversed())
})

test('a page goes on where it was, although the row that it ended with is gone', async () => {
  const someone = await signUp(server.url)
  for (const name of ['a', 'b', 'c', 'd']) await someone.post('/api/projects', { name })
  const first = await someone.get('/api/projects?limit=2')
  const [, last] = ids(first.body)
  await someone.delete(`/api/projects/${last}?confirm=c`)
  const next = await someone.get(`/api/projects?limit=2&cursor=${first.body.next_cursor}`)
  expect((next.body.items as unknown as { name: string }[]).map(({ name }) => name)).toEqual(['b', 'a'])
})

const forged = (text: string) => Buffer.from(text).toString('base64url')

test.each([
  ['words', 'nonsense'],
  ['a place without an id', forged('1700000000000.')],
  ['a place with an id that is none', forged('1700000000000.1 OR 1=1')],
  ['a time beyond all times', forged(`9999999999999999.${randomUUID()}`)],
  ['a version number', forged('v1')],
  ['200 characters', 'A'.repeat(200)],
  ['201 characters', 'A'.repeat(201)],
])('a cursor of %s is refused', async (_, cursor) => {
  const { status, body } = await ada.get(`/api/projects?cursor=${encodeURIComponent(cursor)}`)
  expect(status).toBe(400)
  expect(body.error).toMatchObject({ code: 'invalid_input', issues: [{ path: 'cursor' }] })
})

test.each(['0', '101', '-1', '1.5', 'x', '1e9'])('a limit of %s is refused', async (limit) => {
  expect((await ada.get(`/api/projects?limit=${limit}`)).status).toBe(400)
})

test('what is no id, and what is an id of nothing, is not found', async () => {
  for (const id of ['1', 'null', "'--", '..%2f..', randomUUID()]) {
    for (const path of [`/api/projects/${id}`, `/api/agents/${id}`, `/api/prompts/${id}`]) {
      expect((await ada.get(path)).status, path).toBe(404)
    }
  }
})

test('an agent gets defaults, and each change makes a version that can be restored', async () => {
  const agent = await makeAgent(await makeProject())
  expect(agent).toMatchObject({
    model_provider: 'auto',
    model_name: 'gpt-5-mini',
    system_prompt: '',
    temperature: null,
    max_output_tokens: null,
    reasoning_effort: null,
    background: false,
    tools: [],
    version: 1,
  })
  const path = `/api/agents/${agent.id}`
  const second = await made(ada.patch(path, { system_prompt: 'Be brief.', temperature: 0.2 }), 200)
  expect(second).toMatchObject({ version: 2, system_prompt: 'Be brief.', temperature: 0.2, name: 'Analyst' })
  expect((await ada.patch(path, { temperature: 0.2 })).body.version).toBe(2)
  expect((await ada.patch(path, { temperature: null, name: 'Critic' })).body).toMatchObject({ version: 3 })

  const restored = await made(ada.post(`${path}/versions/2/restore`), 200)
  expect(restored).toMatchObject({
    version: 4,
    name: 'Analyst',
    temperature: 0.2,
    system_prompt: 'Be brief.',
  })
  const versions = (await ada.get(`${path}/versions`)).body.items as unknown as Json[]
  expect(versions.map(({ version }) => version)).toEqual([4, 3, 2, 1])
  expect(versions[0]?.settings).toEqual(versions[2]?.settings)
  expect(versions[3]?.created_by).toBe(ada.userId)

  const page = await ada.get(`${path}/versions?limit=3`)
  const rest = await ada.get(`${path}/versions?limit=3&cursor=${page.body.next_cursor}`)
  expect((rest.body.items as unknown as Json[]).map(({ version }) => version)).toEqual([1])
  expect(rest.body.next_cursor).toBeNull()
  for (const version of ['0', '5', 'x', '99999999999']) {
    expect((await ada.post(`${path}/versions/${version}/restore`)).status, version).toBe(404)
  }
})

test.each([
  ['an unknown provider', { model_provider: 'skynet' }],
  ['a temperature of 3', { temperature: 3 }],
  ['no output at all', { max_output_tokens: 0 }],
  ['a system prompt of 100,001 characters', { system_prompt: 'x'.repeat(100_001) }],
  ['tools that are no list', { tools: {} }],
  ['129 tools', { tools: Array.from({ length: 129 }, () => ({ type: 'function' })) }],
  ['a tool with U+0000 in it', { tools: [{ type: 'function', name: 'a\u0000b' }] }],
  ['a tool with half a character in it', { tools: [{ name: '\ud800' }] }],
  ['another version', { version: 9 }],
  ['another project', { project_id: randomUUID() }],
])('an agent with %s is refused', async (_, settings) => {
  const projectId = await makeProject()
  const answer = await ada.post(`/api/projects/${projectId}/agents`, { name: 'Analyst', ...settings })
  expect(answer.status, answer.text).toBe(400)
})

test('text comes back as it was written, whatever is in it', async () => {
  const hard = '{{name}} \\u0000 \u2028 👋🏽 \r\n\t<script>\'";--\ufffd'
  const tools = [
    { type: 'function', name: '\\u0000', description: hard, deep: { list: [1, null, { a: [] }] } },
  ]
  const agent = await makeAgent(await makeProject(), { system_prompt: hard, tools })
  expect((await ada.get(`/api/agents/${agent.id}`)).body).toMatchObject({ system_prompt: hard, tools })
})

test('a prompt is made, changed, listed and deleted', async () => {
  const { id: agentId } = await makeAgent(await makeProject())
  const list = `/api/agents/${agentId}/prompts`
  const variables = [{ name: 'tone', default: 'dry' }, { name: 'length' }]
  const prompt = await made(ada.post(list, { title: ' Sum up ', content: 'Be {{tone}}.', variables }))
  expect(prompt).toMatchObject({ title: 'Sum up', content: 'Be {{tone}}.', variables, agent_id: agentId })
  const path = `/api/prompts/${prompt.id}`
  expect((await ada.patch(path, { variables: [] })).body).toMatchObject({ title: 'Sum up', variables: [] })
  expect(ids((await ada.get(list)).body)).toEqual([prompt.id])
  expect((await ada.delete(path)).status).toBe(204)
  expect((await ada.get(path)).status).toBe(404)
  const twins = await ada.post(list, { title: 'x', content: '', variables: [{ name: 'a' }, { name: 'a' }] })
  expect(twins.status).toBe(400)
  expect((await ada.post(list, { title: 'x', content: '', variables: [{ name: '1a' }] })).status).toBe(400)
})

test('a member does what the role allows, and nothing after being removed', async () => {
  const projectId = await makeProject('Shared')
  const { id: agentId } = await makeAgent(projectId)
  const members = `/api/projects/${projectId}/members`
  const sees = async () => (await eve.get(`/api/agents/${agentId}`)).status
  const changes = async () =>
    (await eve.patch(`/api/agents/${agentId}`, { description: randomUUID() })).status
  expect(await sees()).toBe(404)
  const added = await made(ada.post(members, { email: eve.email.toUpperCase(), role: 'viewer' }))
  expect(added).toMatchObject({ user_id: eve.userId, email: eve.email, role: 'viewer' })
  expect([await sees(), await changes()]).toEqual([200, 403])
  expect((await eve.get(`/api/projects/${projectId}`)).body.role).toBe('viewer')
  await made(ada.patch(`${members}/${eve.userId}`, { role: 'editor' }), 200)
  expect(await changes()).toBe(200)
  expect((await ada.delete(`${members}/${eve.userId}`)).status).toBe(204)
  expect([await sees(), await changes()]).toEqual([404, 404])
})

test('adding someone twice, or nobody, or by two names, is refused', async () => {
  const members = `/api/projects/${await makeProject()}/members`
  await made(ada.post(members, { user_id: eve.userId, role: 'viewer' }))
  expect((await ada.post(members, { email: eve.email, role: 'owner' })).status).toBe(409)
  expect((await ada.post(members, { email: 'nobody@example.com', role: 'viewer' })).status).toBe(404)
  expect((await ada.post(members, { role: 'viewer' })).status).toBe(400)
  expect((await ada.post(members, { user_id: eve.userId, email: eve.email, role: 'viewer' })).status).toBe(
    400,
  )
  expect((await ada.post(members, { email: eve.email, role: 'admin' })).status).toBe(400)
})

test('the last owner can neither leave nor step down; a member can always leave', async () => {
  const projectId = await makeProject()
  const members = `/api/projects/${projectId}/members`
  await made(ada.post(members, { email: eve.email, role: 'viewer' }))
  expect((await ada.delete(`${members}/${ada.userId}`)).status).toBe(409)
  expect((await ada.patch(`${members}/${ada.userId}`, { role: 'editor' })).status).toBe(409)
  expect((await eve.delete(`${members}/${eve.userId}`)).status).toBe(204)
  await made(ada.post(members, { email: eve.email, role: 'owner' }))
  expect((await ada.delete(`${members}/${ada.userId}`)).status).toBe(204)
  expect((await ada.get(`/api/projects/${projectId}`)).status).toBe(404)
  expect((await eve.get(`/api/projects/${projectId}`)).body.role).toBe('owner')
})
