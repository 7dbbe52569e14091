import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Client, signUp } from '../support/client'
import { type GatewayWorld, startGateway, upstreamKey } from '../support/gateway'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { readLedger } from '../support/responses'

/*
 * What calls name of things that were made before: with a key that many share nobody reaches what others made, however
 * it is named, and whatever somebody's own server says of it.
 */

const model = 'gpt-5-mini'
const user = { role: 'user', content: 'And?' }

let world: GatewayWorld
/** A server of somebody's own, which says what they like. */
let forge: OpenAIServer

beforeAll(async () => {
  world = await startGateway()
  forge = await startOpenAI()
})
beforeEach(() => {
  world.upstream.reset()
  forge.reset()
})
afterAll(async () => {
  await world.close()
  await forge.close()
})

const gatewayKey = async (owner: Client) => (await makeKey(owner, { scopes: ['gateway'] })).key

/** Keeps a key of the user's own in the vault; returns what takes it away again. */
async function keepKey(owner: Client, apiKey: string, baseUrl: string): Promise<() => Promise<unknown>> {
  const wish = { credentialType: 'openai', scope: 'user', credentials: { api_key: apiKey }, baseUrl }
  const { status, body } = await owner.post('/api/credentials', wish)
  expect(status).toBe(201)
  return () => owner.delete(`/api/credentials/${String(body.id)}`)
}

async function ask(key: string, body: object, path = '/responses') {
  const answer = await world.post(path, { model, ...body }, key)
  const said = (await answer.json()) as {
    id?: string
    output?: { id: string; container_id?: string }[]
    error?: { param: string; message: string }
  }
  return { ...said, status: answer.status }
}

const naming = (id: string) => ({ input: [{ type: 'item_reference', id }, user] })
const inContainer = (id: string) => ({
  input: [user],
  tools: [{ type: 'code_interpreter', container: id }],
})
const code = { items: [{ type: 'code_interpreter' as const, code: '1 + 1', logs: '2' }] }

test('what somebody’s own server claims to have made opens nothing at an account that is shared', async () => {
  const ada = await gatewayKey(await signUp(world.server.url, 'ada'))
  world.upstream.script(code)
  const made = await ask(ada, {
    input: [user],
    tools: [{ type: 'code_interpreter', container: { type: 'auto' } }],
  })
  const [call] = made.output ?? []
  const [item, container] = [String(call?.id), String(call?.container_id)]
  expect(container).toMatch(/^cntr_/)
  const eve = await signUp(world.server.url, 'eve')
  const key = await gatewayKey(eve)
  const remove = await keepKey(eve, 'sk-test-of-eve', forge.baseUrl)
  const claim = { type: 'code_interpreter_call', id: item, container_id: container, code: '', outputs: [] }
  forge.script({ items: [{ type: 'raw', item: { ...claim, status: 'completed' } }] }, { times: 2 })
  for (const stream of [false, true]) {
    const answer = await world.post('/responses', { model, input: 'Hi', stream }, key)
    expect(await answer.text()).toContain(container)
  }
  expect(forge.journal).toHaveLength(2)
  await remove()
  const before = world.upstream.journal.length
  expect(await ask(key, naming(item))).toMatchObject({ status: 404, error: { param: 'input' } })
  expect(await ask(key, inContainer(container))).toMatchObject({ status: 404, error: { param: 'tools' } })
  expect(world.upstream.journal).toHaveLength(before)
  expect(await ask(ada, naming(item))).toMatchObject({ status: 200 })
  expect(await ask(ada, inContainer(container))).toMatchObject({ status: 200 })
})

test.each([false, true])(
  'where code ran can be taken up again though nothing is stored, stream: %s',
  async (stream) => {
    const key = await gatewayKey(await signUp(world.server.url, 'ada'))
    world.upstream.script(code)
    const tools = [{ type: 'code_interpreter', container: { type: 'auto' } }]
    const answer = await world.post('/responses', { model, input: [user], tools, store: false, stream }, key)
    const container = /"container_id":\s*"(cntr_\w+)"/.exec(await answer.text())?.[1]
    expect(await ask(key, { ...inContainer(String(container)), store: false })).toMatchObject({ status: 200 })
    const other = await gatewayKey(await signUp(world.server.url, 'eve'))
    expect(await ask(other, inContainer(String(container)))).toMatchObject({ status: 404 })
  },
)

test('a server that calls its answer as another’s response settles nothing of theirs', async () => {
  const admin = await signUp(world.server.url, 'ada')
  const ada = await makeKey(admin, { scopes: ['gateway'] })
  const words = Array.from({ length: 60 }, (_, index) => `word${index} `)
  world.upstream.script({ text: words, delayMs: 50, usage: { input: 1234, output: 567 } })
  const made = await ask(ada.key, { input: 'Hi', background: true })
  const eve = await signUp(world.server.url, 'eve')
  const key = await gatewayKey(eve)
  await keepKey(eve, 'sk-test-of-eve', forge.baseUrl)
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 }
  const forged = { id: made.id, object: 'response', status: 'completed', output: [], usage }
  const events = [
    `event: response.created\ndata: ${JSON.stringify({ type: 'response.created', response: forged, sequence_number: 0 })}\n\n`,
    `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response: forged, sequence_number: 1 })}\n\n`,
  ]
  forge.script({ raw: events })
  const answer = await world.post('/responses', { model, input: 'Hi', stream: true, background: true }, key)
  expect(await answer.text()).toContain(String(made.id))
  expect(await ask(key, { input: [user], previous_response_id: made.id })).toMatchObject({ status: 400 })
  expect(await readLedger({ admin }, ada.id, 1)).toMatchObject([{ input_tokens: 1234, output_tokens: 567 }])
  const found = await world.post('/responses', { model, input: 'Hi', previous_response_id: made.id }, ada.key)
  expect(found.status).toBe(200)
})

test.each<[string, string, string, object]>([
  ['a stored prompt', 'Prompt', 'prompt', { prompt: { id: 'x_1' } }],
  ['a conversation', 'Conversation', 'conversation', { conversation: { id: 'x_1' } }],
  [
    'a response to compare with',
    'Response',
    'prompt_cache_options',
    { prompt_cache_options: { comparison_response_id: 'x_1' } },
  ],
  [
    'a skill',
    'Skill',
    'tools',
    {
      tools: [
        {
          type: 'shell',
          environment: { type: 'container_auto', skills: [{ type: 'skill_reference', skill_id: 'x_1' }] },
        },
      ],
    },
  ],
  ['a tunnel', 'Tunnel', 'tools', { tools: [{ type: 'mcp', server_label: 'x', tunnel_id: 'x_1' }] }],
  [
    'a store that an item brings along',
    'Vector store',
    'input',
    {
      input: [
        user,
        { type: 'additional_tools', tools: [{ type: 'file_search', vector_store_ids: ['x_1'] }] },
      ],
    },
  ],
  [
    'a place that was found',
    'Container',
    'input',
    {
      input: [user, { type: 'tool_search_output', tools: [{ type: 'code_interpreter', container: 'x_1' }] }],
    },
  ],
  [
    'a thought that is empty',
    'Item',
    'input',
    { input: [{ type: 'reasoning', id: 'x_1', summary: [], encrypted_content: '' }, user] },
  ],
  [
    'a picture that is empty',
    'Item',
    'input',
    { input: [{ type: 'image_generation_call', id: 'x_1', result: '', status: 'completed' }, user] },
  ],
  ['an item that is no more than its name', 'Item', 'input', { input: [{ id: 'x_1', role: null }, user] }],
])('%s is reached with a key of one’s own alone', async (_, kind, param, body) => {
  const call = { input: 'Hi', ...body }
  const owner = await signUp(world.server.url, 'owner')
  const key = await gatewayKey(owner)
  expect(await ask(key, call)).toMatchObject({
    status: 404,
    error: { code: null, param, message: expect.stringContaining(`${kind} with id 'x_1' not found.`) },
  })
  expect(world.upstream.journal).toEqual([])
  await keepKey(owner, upstreamKey, world.upstream.baseUrl)
  await ask(key, call)
  expect(world.upstream.journal).toMatchObject([{ body: call }])
})

test('what a model has said aloud is heard again with a key of one’s own alone', async () => {
  const owner = await signUp(world.server.url, 'owner')
  const key = await gatewayKey(owner)
  const chat = { messages: [user, { role: 'assistant', audio: { id: 'audio_1' } }, user] }
  expect(await ask(key, chat, '/chat/completions')).toMatchObject({
    status: 404,
    error: { param: 'messages', message: expect.stringContaining("Audio with id 'audio_1' not found.") },
  })
  expect(world.upstream.journal).toEqual([])
  await keepKey(owner, upstreamKey, world.upstream.baseUrl)
  await ask(key, chat, '/chat/completions')
  expect(world.upstream.journal).toMatchObject([{ body: chat }])
})

test('a response of one’s own is compared with, and a stranger’s is not', async () => {
  const [mine, other] = await Promise.all(
    ['mine', 'other'].map(async (name) => gatewayKey(await signUp(world.server.url, name))),
  )
  const { id } = await ask(String(mine), { input: 'Hi' })
  const compare = { input: 'Hi', prompt_cache_options: { comparison_response_id: id } }
  expect(await ask(String(mine), compare)).toMatchObject({ status: 200 })
  expect(await ask(String(other), compare)).toMatchObject({ status: 404 })
})

test('tools that an item brings along are bounded as those beside it where the caller has a budget', async () => {
  const { key } = await world.sdk({ budget_usd: 50 })
  const input = [user, { type: 'additional_tools', role: 'developer', tools: [{ type: 'web_search' }] }]
  expect(await ask(key, { input, max_output_tokens: 100 })).toMatchObject({ status: 200 })
  expect(world.upstream.journal).toMatchObject([{ body: { input, max_tool_calls: 4 } }])
})
