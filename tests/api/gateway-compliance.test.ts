import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AnthropicServer, startAnthropic } from '../support/anthropic'
import { signUp } from '../support/client'
import { makeKey } from '../support/keys'
import {
  beyond,
  type Case,
  floor,
  type Given,
  kept,
  type Path,
  phased,
  readGiven,
} from '../support/open-responses/cases'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { readSse } from '../support/raw-stream'
import { startServer, type TestServer } from '../support/server'

/*
 * The compliance suite of Open Responses, asked of the gateway in front of each kind of model server: one that has
 * Responses of its own, one that has chat completions alone, and Anthropic's.
 */

const openaiKey = 'sk-test-compliance-openai-60b1'
const anthropicKey = 'sk-ant-test-compliance-77d2'

let openai: OpenAIServer
let anthropic: AnthropicServer
let server: TestServer
const keys: Record<string, string> = {}

beforeAll(async () => {
  openai = await startOpenAI({ acceptKey: (given) => given === openaiKey })
  anthropic = await startAnthropic()
  server = await startServer()
  await keep('openai', openai.baseUrl, openaiKey)
  await keep('openai-compatible', openai.baseUrl, openaiKey)
  await keep('anthropic', anthropic.baseUrl, anthropicKey)
})
afterAll(async () => {
  await server.close()
  await openai.close()
  await anthropic.close()
})

/** Makes somebody who has this key of a model server alone, and an API key. */
async function keep(credentialType: string, baseUrl: string, api_key: string): Promise<void> {
  const owner = await signUp(server.url, credentialType)
  const body = { scope: 'user', credentialType, baseUrl, credentials: { api_key } }
  const made = await owner.post('/api/credentials', body)
  expect(made.status, made.text).toBe(201)
  keys[credentialType] = (await makeKey(owner, { scopes: ['gateway'] })).key
}

const call = { name: 'get_weather', location: 'Lima, Peru' }
const forms = [
  ['that has Responses of its own', 'openai', 'gpt-4.1', ['/v1/responses', '/v1/responses/compact']],
  ['that has chat completions alone', 'openai-compatible', 'llama-3.3', ['/v1/chat/completions']],
  ['of Anthropic’s', 'anthropic', 'claude-sonnet-5-5', ['/v1/messages']],
] as const

function prepare({ says }: Case): void {
  openai.reset()
  anthropic.reset()
  if (says === undefined) return
  const { name, location } = call
  openai.script({ items: [{ type: 'function', name, arguments: { location } }] })
  anthropic.script({ blocks: [{ type: 'tool_use', name, input: { location } }] })
}

async function ask(key: string, path: Path, body: object): Promise<Response> {
  return fetch(`${server.url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function read(path: Path, answer: Response): Promise<Given> {
  const text = await answer.text()
  expect(answer.status, text).toBe(200)
  if (!/^text\/event-stream\b/.test(answer.headers.get('content-type') ?? ''))
    return readGiven(path, JSON.parse(text), [])
  const events = readSse(text).map(({ event, data }) => {
    const said = JSON.parse(data)
    expect(said.type).toBe(event)
    return said
  })
  return readGiven(path, events.at(-1)?.response, events)
}

describe.each(forms)('a model server %s', (_, kind, model, paths) => {
  const cases = kind === 'openai' ? [...floor, ...beyond, ...kept] : [...floor, ...beyond]

  test.each(cases.map((one) => [one.id, one] as const))('%s', async (_id, one) => {
    prepare(one)
    const key = keys[kind] ?? ''
    const { path, before, isStreamed } = one
    const first = before ? await read(before.path, await ask(key, before.path, before.body(model))) : null
    const answer = await ask(key, path, { ...one.body(model, first), ...(isStreamed && { stream: true }) })
    if (one.refusedWith) {
      expect(one.refusedWith).toContain(answer.status)
      expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
      return
    }
    expect(one.faults(await read(path, answer))).toEqual([])
    const journal = kind === 'anthropic' ? anthropic.journal : openai.journal
    expect(journal.length).toBeGreaterThan(0)
    for (const { path: asked } of journal) expect(paths).toContain(asked)
  })
})

test.each([
  ['that has chat completions alone', 'openai-compatible', 'llama-3.3'],
  ['of Anthropic’s', 'anthropic', 'claude-sonnet-5-5'],
] as const)(
  'a model server %s is told what was made short, and nothing else of it',
  async (_, kind, model) => {
    openai.reset()
    anthropic.reset()
    const key = keys[kind] ?? ''
    const long = { model, input: [{ role: 'user', content: 'The word is cobalt.' }] }
    const short = await read('/responses/compact', await ask(key, '/responses/compact', long))
    const input = [...short.output, { role: 'user', content: 'What is it?' }]
    await read('/responses', await ask(key, '/responses', { model, input }))
    const [first, second] = (kind === 'anthropic' ? anthropic : openai).journal.map(({ body }) =>
      JSON.stringify(body),
    )
    expect(first).toContain('The word is cobalt.')
    expect(second).toContain('What was said before, in short:')
    expect(second).not.toContain('The word is cobalt.')
  },
)

test('response-output-phase-schema', () => {
  const given = readGiven('/responses', phased('any-model'), [])
  expect(given.output.map((item) => 'phase' in item && item.phase)).toEqual(['commentary', 'final_answer'])
})

test('10 of the 10 cases of the suite that need no WebSocket are asked', () => {
  expect([...floor.map(({ id }) => id), 'response-output-phase-schema'].sort()).toEqual([
    'assistant-phase',
    'basic-response',
    'compact-missing-model',
    'compact-response',
    'image-input',
    'multi-turn',
    'response-output-phase-schema',
    'streaming-response',
    'system-prompt',
    'tool-calling',
  ])
})
