import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Client, type Json, password, signUp } from '../../support/client'
import { makeKey } from '../../support/keys'
import { echoOf, type OpenAIServer, startOpenAI } from '../../support/openai'
import { readAllData } from '../../support/plain-events'
import { startServer, type TestServer } from '../../support/server'

/*
 * The front end of the chatbot platform: people register, make a project with an agent and prompts, upload a file, and
 * talk to the agent over a stream of events.
 */

let upstream: OpenAIServer
let server: TestServer

beforeAll(async () => {
  upstream = await startOpenAI()
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-test-of-the-server' })
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

/** What a page of that front end does, with the token that it got when its user registered. */
class Platform {
  readonly client: Client

  constructor(token: string | null = null) {
    this.client = new Client(server.url, token)
  }

  async make(path: string, body: object): Promise<Json> {
    const { status, body: made, text } = await this.client.post(path, body)
    if (status !== 201) throw new Error(`${status}: ${text}`)
    return made
  }

  chat(agentId: unknown, body: object): Promise<Response> {
    return fetch(`${server.url}/api/chat/agents/${agentId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.client.token}` },
      body: JSON.stringify(body),
    })
  }

  async upload(name: string, content: string, agentId: unknown): Promise<Json> {
    const form = new FormData()
    form.set('file', new Blob([content], { type: 'text/plain' }), name)
    form.set('agent_id', String(agentId))
    const headers = { authorization: `Bearer ${this.client.token}` }
    const answer = await fetch(`${server.url}/api/files/upload`, { method: 'POST', headers, body: form })
    if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as Json
  }
}

async function openPlatform() {
  const user = await signUp(server.url, 'ada')
  const platform = new Platform(user.token)
  const project = await platform.make('/api/projects', { name: 'Engines', description: 'All of them' })
  const agent = await platform.make(`/api/projects/${project.id}/agents`, {
    name: 'Helper',
    system_prompt: 'You help with engines.',
    model_name: 'gpt-5-mini',
  })
  return { user, platform, project, agent }
}

test('from registering to an answer, call by call', async () => {
  const { user, platform, project, agent } = await openPlatform()
  const login = await new Client(server.url).post('/api/auth/login', { username: user.email, password })
  expect(login.body.user?.id).toBe(user.userId)
  const prompt = await platform.make(`/api/agents/${agent.id}/prompts`, {
    title: 'Explain',
    content: 'Explain {{what}}.',
    variables: [{ name: 'what', default: 'an engine' }],
  })
  const prompts = (await platform.client.get<{ items: Json[] }>(`/api/agents/${agent.id}/prompts`)).body.items
  expect(prompts.map(({ id }) => id)).toEqual([prompt.id])
  const projects = (await platform.client.get<{ items: Json[] }>('/api/projects')).body.items
  expect(projects.map(({ id }) => id)).toContain(project.id)

  upstream.script({ text: ['It ', 'turns ', 'wheels.'] })
  const events = await readAllData(await platform.chat(agent.id, { message: 'Explain an engine.' }))
  const conversationId = String(events[0]?.conversation_id)
  for (const event of events) {
    expect(event).toMatchObject({ text: expect.any(String), conversation_id: conversationId })
  }
  expect(events.slice(0, -1).every((event) => !('done' in event))).toBe(true)
  expect(events.at(-1)).toEqual({
    text: '',
    conversation_id: conversationId,
    done: true,
    usage: expect.objectContaining({ total_tokens: expect.any(Number) }),
  })
  expect(events.map(({ text }) => text).join('')).toBe('It turns wheels.')
  expect(upstream.journal.at(-1)?.body).toMatchObject({ instructions: 'You help with engines.' })

  await readAllData(
    await platform.chat(agent.id, { message: 'And brakes?', conversation_id: conversationId }),
  )
  const view = (await platform.client.get<{ messages: Json[] }>(`/api/conversations/${conversationId}`)).body
  expect(view.messages.map(({ text }) => text)).toEqual([
    'Explain an engine.',
    'It turns wheels.',
    'And brakes?',
    echoOf('And brakes?'),
  ])
})

test('a file that was uploaded goes to the model with the message', async () => {
  const { platform, agent } = await openPlatform()
  const file = await platform.upload('notes.txt', 'Cogs need 7 oils.', agent.id)
  expect(file).toMatchObject({ file_id: expect.any(String), filename: 'notes.txt', bytes: 17 })
  const answer = await platform.chat(agent.id, { message: 'How many?', file_ids: [String(file.file_id)] })
  expect((await readAllData(answer)).at(-1)).toMatchObject({ done: true })
  const asked = upstream.journal.filter(({ path }) => path === '/v1/responses').at(-1)
  expect(JSON.stringify(asked?.body)).toContain('Cogs need 7 oils.')
})

test('what is another’s is not there: agent, conversation, and a conversation with another agent', async () => {
  const { platform, project, agent } = await openPlatform()
  const events = await readAllData(await platform.chat(agent.id, { message: 'Hi' }))
  const conversation_id = events[0]?.conversation_id
  const second = await platform.make(`/api/projects/${project.id}/agents`, { name: 'Second' })
  expect((await platform.chat(second.id, { message: 'Hi', conversation_id })).status).toBe(404)
  const eve = await signUp(server.url, 'eve')
  const hers = new Platform(eve.token)
  expect((await hers.chat(agent.id, { message: 'Hi' })).status).toBe(404)
  await platform.client.post(`/api/projects/${project.id}/members`, { email: eve.email, role: 'viewer' })
  expect((await hers.chat(agent.id, { message: 'Hi', conversation_id })).status).toBe(404)
  expect((await hers.chat(agent.id, { message: 'Hi' })).status).toBe(200)
})

test('keys of the project reach its agents, and no others', async () => {
  const { platform, project, agent } = await openPlatform()
  const { agent: other } = await openPlatform()
  const { key } = await makeKey(platform.client, { scopes: ['chat'], project_id: String(project.id) })
  const bound = new Platform(key)
  expect((await readAllData(await bound.chat(agent.id, { message: 'Hi' }))).at(-1)).toMatchObject({
    done: true,
  })
  expect((await bound.chat(other.id, { message: 'Hi' })).status).toBe(404)
  // Without an agent's name, the project's own answers.
  const { body } = await bound.client.post('/api/chat', { message: 'Hi' })
  expect(body).toMatchObject({ success: true })
  const view = (await platform.client.get(`/api/conversations/${body.session_id}`)).body
  expect(view.conversation?.agent_id).toBe(agent.id)
})

test.each<[unknown, number]>([
  [{}, 400],
  [null, 400],
  [[], 400],
  [{ message: '' }, 400],
  [{ message: 'Hi', conversation_id: 'x' }, 400],
  [{ message: 'Hi', conversation_id: crypto.randomUUID() }, 404],
  [{ message: 'Hi', file_ids: ['x'] }, 400],
  [{ message: 'Hi', file_ids: [crypto.randomUUID()] }, 404],
  [{ message: 'Hi', more: 1 }, 400],
])('%j is refused', async (body, status) => {
  const { platform, agent } = await openPlatform()
  expect((await platform.chat(agent.id, body as object)).status).toBe(status)
  expect(upstream.journal).toEqual([])
})
