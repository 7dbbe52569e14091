import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Client, signUp } from '../support/client'
import { type GatewayWorld, startGateway } from '../support/gateway'
import { makeKey } from '../support/keys'

let world: GatewayWorld
let openai: OpenAI & { key: string }
let projectId: string
let agentId: string
let stranger: Client
const messages = [{ role: 'user' as const, content: 'Hello' }]
const tool = { type: 'function', name: 'find_order', parameters: { type: 'object', properties: {} } }

beforeAll(async () => {
  world = await startGateway()
  openai = await world.sdk()
  projectId = String((await world.admin.post('/api/projects', { name: 'Shop' })).body.id)
  const agent = await world.admin.post(`/api/projects/${projectId}/agents`, {
    name: 'Clerk',
    system_prompt: 'You sell hats.',
    model_name: 'gpt-5',
    temperature: 0.3,
    max_output_tokens: 500,
    reasoning_effort: 'low',
    tools: [tool],
  })
  expect(agent.status, agent.text).toBe(201)
  agentId = String(agent.body.id)
  stranger = await signUp(world.server.url, 'stranger')
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

const told = () => world.upstream.journal.at(-1)?.body as Record<string, unknown>

describe('an agent as a model', () => {
  test('chat: its model is asked with its instructions, its settings and its tools', async () => {
    const mine = { type: 'function' as const, function: { name: 'mine', parameters: {} } }
    await openai.chat.completions.create({ model: `agent:${agentId}`, messages, tools: [mine] })
    expect(told()).toMatchObject({
      model: 'gpt-5',
      messages: [{ role: 'system', content: 'You sell hats.' }, messages[0]],
      temperature: 0.3,
      max_completion_tokens: 500,
      reasoning_effort: 'low',
      tools: [{ type: 'function', function: { name: 'find_order', parameters: tool.parameters } }, mine],
    })
  })

  test('responses: the same in that dialect, and the caller’s own word counts', async () => {
    await openai.responses.create({
      model: `agent:${agentId}`,
      input: 'Hello',
      instructions: 'Be brief.',
      temperature: 1,
      reasoning: { summary: 'auto' },
    })
    expect(told()).toMatchObject({
      model: 'gpt-5',
      instructions: 'You sell hats.\n\nBe brief.',
      temperature: 1,
      max_output_tokens: 500,
      reasoning: { effort: 'low', summary: 'auto' },
      tools: [tool],
    })
  })

  test('it streams, and its use is the agent’s project’s', async () => {
    const stream = await openai.chat.completions.create({ model: `agent:${agentId}`, messages, stream: true })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''
    expect(text).not.toBe('')
    const groups = async () => {
      const { body } = await world.admin.get('/api/openai/usage?group_by=project')
      return (body as never as { groups: { key: string | null }[] }).groups.map(({ key }) => key)
    }
    await expect.poll(groups, { timeout: 10_000 }).toContain(projectId)
  })

  test.each(['/embeddings', '/completions', '/images/generations'])(
    '%s is nothing that an agent answers',
    async (path) => {
      const answer = await world.post(
        path,
        { model: `agent:${agentId}`, input: 'x', prompt: 'x' },
        openai.key,
      )
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ error: { param: 'model', type: 'invalid_request_error' } })
    },
  )

  test('a stranger’s, and one that is none, are models that there are not', async () => {
    const { key } = await makeKey(stranger, { scopes: ['gateway'] })
    const theirs = new OpenAI({ baseURL: `${world.server.url}/v1`, apiKey: key, maxRetries: 0 })
    for (const model of [`agent:${agentId}`, 'agent:nonsense', 'agent:']) {
      const refused = await theirs.chat.completions
        .create({ model, messages })
        .catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(OpenAI.NotFoundError)
      expect(refused).toMatchObject({ code: 'model_not_found', param: 'model' })
    }
    expect(world.upstream.journal).toHaveLength(0)
  })
})

describe('a key for certain models', () => {
  test('others are models that there are not', async () => {
    const narrow = await world.sdk({ allowed_models: ['gpt-5-mini', 'text-*', `agent:${agentId}`] })
    const model = (name: string) => narrow.chat.completions.create({ model: name, messages })
    expect((await model('gpt-5-mini')).choices).toHaveLength(1)
    expect((await model(`agent:${agentId}`)).choices).toHaveLength(1)
    expect(
      (await narrow.embeddings.create({ model: 'text-embedding-3-small', input: 'a' })).data,
    ).toHaveLength(1)
    for (const name of ['gpt-5', 'gpt-5-mini-2025-08-07', 'tex'])
      await expect(model(name)).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
    const { status } = await world.post('/images/generations', { prompt: 'A cat' }, narrow.key)
    expect(status).toBe(404)
  })
})

describe('a key with a budget', () => {
  const price = 0.25 / 1e6

  test('a hundred streams at once spend no more than there is, to the ledger exactly', async () => {
    const budget = 0.02
    const openai = await world.sdk({ budget_usd: budget })
    // Each costs 2,000 output tokens of gpt-5-mini, or 0.004 USD: five are paid for.
    world.upstream.script(() => ({ text: 'word '.repeat(10), usage: { input: 10, output: 2000 } }))
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async () => {
        try {
          const stream = await openai.chat.completions.create({
            model: 'gpt-5-mini',
            messages,
            stream: true,
            max_completion_tokens: 2000,
          })
          for await (const _ of stream);
          return 'answered'
        } catch (error) {
          return (error as { code?: string }).code ?? String(error)
        }
      }),
    )
    const answered = outcomes.filter((outcome) => outcome === 'answered').length
    expect(answered).toBeGreaterThan(0)
    expect(outcomes.filter((outcome) => outcome !== 'answered' && outcome !== 'insufficient_quota')).toEqual(
      [],
    )
    const { body } = await world.admin.get(`/api/keys/${openai.keyId}`)
    const spent = Number(body.spent_usd)
    expect(spent).toBeLessThanOrEqual(budget)
    expect(spent).toBeCloseTo(answered * (2000 * 8 * price + 10 * price), 9)
  })

  test('what a stream used is known although its reader did not ask, and its reader sees no more than it asked for', async () => {
    const openai = await world.sdk({ budget_usd: 1 })
    world.upstream.script({ text: ['Hel', 'lo'], usage: { input: 12, output: 34 } })
    const stream = await openai.chat.completions.create({ model: 'gpt-5-mini', messages, stream: true })
    for await (const chunk of stream) expect(chunk.choices.length).toBeGreaterThan(0)
    expect(told()).toMatchObject({ stream_options: { include_usage: true } })
    const read = async () => (await world.admin.get(`/api/keys/${openai.keyId}/traffic`)).body
    await expect.poll(read, { timeout: 10_000 }).toMatchObject({
      items: [{ input_tokens: 12, output_tokens: 34, estimated: false }],
    })
  })

  test('refusals are OpenAI’s: no credit, too many requests, too many tokens', async () => {
    const poor = await world.sdk({ budget_usd: 0.000001 })
    const broke = await poor.chat.completions
      .create({ model: 'gpt-5-mini', messages })
      .catch((error: unknown) => error)
    expect(broke).toBeInstanceOf(OpenAI.RateLimitError)
    expect(broke).toMatchObject({ code: 'insufficient_quota', type: 'insufficient_quota' })

    const slow = await world.sdk({ requests_per_minute: 1 })
    const answers = await Promise.all(
      [1, 2, 3].map(() => world.post('/chat/completions', { model: 'gpt-5-mini', messages }, slow.key)),
    )
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(1)
    expect(refused[0]?.headers.get('x-ratelimit-limit-requests')).toBe('1')
    expect(refused[0]?.headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused[0]?.json()).toMatchObject({
      error: { code: 'rate_limit_exceeded', type: 'requests' },
    })

    const terse = await world.sdk({ tokens_per_minute: 10 })
    const long = [{ role: 'user' as const, content: 'word '.repeat(100) }]
    const wordy = await terse.chat.completions
      .create({ model: 'gpt-5-mini', messages: long })
      .catch((error: unknown) => error)
    expect(wordy).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'tokens' })
  })
})

test('an answer that is no stream tells what it cost', async () => {
  world.upstream.script({ text: 'Hi', usage: { input: 1000, output: 500 } })
  const { response } = await openai.chat.completions.create({ model: 'gpt-5-mini', messages }).withResponse()
  expect(response.headers.get('x-al-cost-usd')).toBe('0.00125')
  const streamed = await world.post(
    '/chat/completions',
    { model: 'gpt-5-mini', messages, stream: true },
    openai.key,
  )
  expect(streamed.headers.get('x-al-cost-usd')).toBeNull()
  await streamed.text()
})
