import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { relay } from '@/lib/chat/answer'
import { CreateCredential } from '@/lib/contracts/credentials'
import { testCredential } from '@/lib/health'
import type { ReplySink } from '@/lib/replies'
import { createCredential, listCredentials, withCredential } from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'
import { callTo } from '../support/model-call'
import { type OpenAIServer, startOpenAI } from '../support/openai'

/* What a real call ends with is noted against its key, and what a test of the key finds. */

let close: () => Promise<void>
let upstream: OpenAIServer
let ada: Actor
let id: string

beforeAll(async () => {
  close = await openLibrary()
  upstream = await startOpenAI()
})
afterAll(async () => {
  await upstream.close()
  await close()
})
beforeEach(async () => {
  ada = await makeActor('ada')
  const input = {
    credentialType: 'openai',
    baseUrl: upstream.baseUrl,
    credentials: { api_key: 'sk-test-kept' },
  }
  id = (await createCredential(ada, CreateCredential.parse(input), origin)).id
})
afterEach(() => upstream.reset())

const served = {
  provider: 'openai' as const,
  model: 'gpt-5-nano',
  agentId: '',
  projectId: '',
  keySource: 'user',
  credentialId: null,
  credentialLabel: null,
  keyId: null,
  baseUrl: '',
  inputLength: 0,
  repeatedLength: 0,
  most: null,
  silentMs: 0,
  heardAtMs: null,
  startedAtMs: 0,
  firstTokenMs: null,
  responseId: null,
}

/** A reply that nobody keeps. */
const sink: ReplySink = {
  text: () => undefined,
  reasoning: () => undefined,
  pace: { isTurn: true, onChange: () => () => undefined },
  serving: async () => undefined,
  resumable: () => undefined,
  usage: () => undefined,
  finish: () => undefined,
}

function answer(signal = new AbortController().signal): Promise<void> {
  return withCredential(ada, { projectId: null, provider: 'openai' }, (key) =>
    relay({ ...callTo(key, { signal }), key }, { ...served }, sink),
  )
}

const failure = async () => (await listCredentials(ada)).find((key) => key.id === id)?.failure

test.each([
  ['invalid_api_key', 'refused'],
  ['insufficient_quota', 'quota'],
] as const)(
  'an answer that ends with %s notes %s against the key, and the next that works takes it away',
  async (error, noted) => {
    upstream.script({ error })
    await expect(answer()).rejects.toMatchObject({ name: 'AppError' })
    await expect.poll(failure).toBe(noted)
    await answer()
    await expect.poll(failure).toBeNull()
  },
)

test.each(['rate_limit_exceeded', 'server_error', 'overloaded', 'model_not_found', 'missing_scope'] as const)(
  'an answer that ends with %s is no fault of the key',
  async (error) => {
    upstream.script({ error })
    await expect(answer()).rejects.toMatchObject({ name: 'AppError' })
    upstream.script({ error: 'invalid_api_key' })
    await expect(answer()).rejects.toMatchObject({ name: 'AppError' })
    // Notes are made in the order of the calls, so the one before would have been seen before this one.
    await expect.poll(failure).toBe('refused')
    upstream.script({ error })
    await expect(answer()).rejects.toMatchObject({ name: 'AppError' })
    expect(await failure()).toBe('refused')
  },
)

test('an answer that is stopped says nothing about the key', async () => {
  upstream.script({ error: 'invalid_api_key' })
  await expect(answer()).rejects.toMatchObject({ name: 'AppError' })
  await expect.poll(failure).toBe('refused')
  await expect(answer(AbortSignal.abort('stopped'))).rejects.toBe('stopped')
  expect(await failure()).toBe('refused')
})

test('a test of the key notes what it finds before it answers', async () => {
  upstream.script({ match: { path: '/v1/embeddings' }, error: 'insufficient_quota' })
  expect(await testCredential(ada, id, origin)).toMatchObject({
    ok: false,
    error: expect.stringMatching(/has no credit left at OpenAI\. Add credit there/),
  })
  expect(await failure()).toBe('quota')
  upstream.script({ match: { path: '/v1/models' }, error: 'invalid_api_key' })
  expect(await testCredential(ada, id, origin)).toMatchObject({ ok: false })
  expect(await failure()).toBe('refused')
  expect(await testCredential(ada, id, origin)).toMatchObject({ ok: true, models: expect.any(Number) })
  expect(await failure()).toBeNull()
})
