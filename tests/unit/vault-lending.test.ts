import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateCredential } from '@/lib/contracts/credentials'
import { CreateProject, type ModelProvider } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { createProject } from '@/lib/projects'
import {
  createCredential,
  deleteCredential,
  explainResolution,
  findServingKey,
  type LentKey,
  updateCredential,
  withCredential,
  withStoredCredential,
} from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'

const environmentKey = 'sk-test-environment-0e0e'
let close: () => Promise<void>
let ada: Actor
let eve: Actor
let admin: Actor
let projectId: string

beforeAll(async () => {
  close = await openLibrary({ OPENAI_API_KEY: environmentKey, OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })
  ada = await makeActor('ada')
  eve = await makeActor('eve')
  admin = await makeActor('admin', 'admin')
  projectId = (await createProject(ada, CreateProject.parse({ name: 'Engines' }))).id
})
afterAll(() => close())
beforeEach(async () => {
  const all = await db().credential.findMany({ select: { id: true, scope: true, userId: true } })
  for (const { id, scope, userId } of all) {
    await deleteCredential(scope === 'global' ? admin : userId === eve.userId ? eve : ada, id, origin)
  }
})

type Kind = { by?: Actor; scope?: string; type?: string; baseUrl?: string }

async function keep(apiKey: string, { by = ada, scope = 'user', type = 'openai', baseUrl }: Kind = {}) {
  const input = CreateCredential.parse({
    credentialType: type,
    scope,
    baseUrl: baseUrl ?? (type === 'openai-compatible' ? 'http://127.0.0.1:11434/v1' : undefined),
    projectId: scope === 'project' ? projectId : undefined,
    credentials: { api_key: apiKey },
  })
  return createCredential(by, input, origin)
}

const lend = (actor: Actor, provider: ModelProvider = 'auto', project: string | null = projectId) =>
  withCredential(actor, { projectId: project, provider }, async (key) => key)

const served = async (...wanted: Parameters<typeof lend>) => (await lend(...wanted)).apiKey

test('the order is: own, project, everyone, environment; taking each away leaves the next', async () => {
  const everyone = await keep('sk-test-global-01', { by: admin, scope: 'global' })
  const project = await keep('sk-test-project-01', { scope: 'project' })
  const own = await keep('sk-test-own-01')
  expect(await served(ada)).toBe('sk-test-own-01')
  await deleteCredential(ada, own.id, origin)
  expect(await served(ada)).toBe('sk-test-project-01')
  await deleteCredential(ada, project.id, origin)
  expect(await served(ada)).toBe('sk-test-global-01')
  await deleteCredential(admin, everyone.id, origin)
  expect(await lend(ada)).toEqual({
    provider: 'openai',
    apiKey: environmentKey,
    baseUrl: 'http://127.0.0.1:9/v1',
    last4: '0e0e',
    source: 'environment',
    credentialId: null,
    label: null,
  } satisfies LentKey)
})

test('within a scope the newest key serves, of whichever type the agent takes', async () => {
  await keep('sk-test-older-01')
  await keep('ollama-key-0001', { type: 'openai-compatible' })
  expect(await served(ada, 'auto')).toBe('ollama-key-0001')
  expect(await served(ada, 'openai')).toBe('sk-test-older-01')
  expect(await served(ada, 'openai-compatible')).toBe('ollama-key-0001')
  await keep('anthropic-key-1', { type: 'anthropic' })
  expect(await served(ada, 'auto')).toBe('ollama-key-0001')
})

test('the demo model takes no key, even where there are some', async () => {
  await keep('sk-test-own-01')
  expect(await lend(ada, 'demo')).toMatchObject({ provider: 'demo', apiKey: null, source: 'demo' })
})

test('an agent of an OpenAI-compatible server does not get the OpenAI key of the environment', async () => {
  await expect(lend(ada, 'openai-compatible')).rejects.toMatchObject({
    code: 'provider_auth',
    message: expect.stringContaining('Add one in the vault'),
  })
})

test('an agent of Anthropic’s takes Anthropic’s keys alone, and the steps say why no other one serves', async () => {
  await keep('sk-test-own-01')
  await expect(lend(ada, 'anthropic')).rejects.toMatchObject({
    code: 'provider_auth',
    message: expect.stringContaining('no Anthropic key'),
  })
  await keep('anthropic-key-77aa', { type: 'anthropic' })
  expect(await lend(ada, 'anthropic')).toMatchObject({ provider: 'anthropic', apiKey: 'anthropic-key-77aa' })
  const steps = await explainResolution(ada, { projectId, provider: 'anthropic' })
  expect(steps.map(({ source, status, detail }) => [source, status, detail])).toEqual([
    ['papita_user', 'off', 'PAPITA_API_URL is not set.'],
    ['papita_global', 'off', 'PAPITA_API_URL is not set.'],
    ['user', 'serves', 'Anthropic key ending 77aa'],
    ['project', 'empty', 'The project has no key for this.'],
    ['global', 'empty', 'There is no key for everyone.'],
    ['environment', 'off', 'The key in OPENAI_API_KEY is for OpenAI only.'],
    ['demo', 'off', 'This agent never answers with the demo model.'],
  ])
})

test("nobody is lent another user's key, nor a key of a project that is not shared with them", async () => {
  await keep('sk-test-own-01')
  await keep('sk-test-project-01', { scope: 'project' })
  await expect(lend(eve)).rejects.toMatchObject({ code: 'not_found' })
  expect(await served(eve, 'auto', null)).toBe(environmentKey)
  await expect(lend(admin)).rejects.toMatchObject({ code: 'not_found' })
})

test('leaving a project takes effect on the next call, although the key was just lent', async () => {
  await keep('sk-test-project-01', { scope: 'project' })
  await db().projectMember.create({ data: { projectId, userId: eve.userId, role: 'viewer' } })
  expect(await served(eve)).toBe('sk-test-project-01')
  await db().projectMember.delete({ where: { projectId_userId: { projectId, userId: eve.userId } } })
  await expect(lend(eve)).rejects.toMatchObject({ code: 'not_found' })
})

test('a new, replaced or deleted key counts from the next call on, although the last was just lent', async () => {
  expect(await served(ada)).toBe(environmentKey)
  const { id } = await keep('sk-test-own-01')
  expect(await served(ada)).toBe('sk-test-own-01')
  await updateCredential(ada, id, { credentials: { api_key: 'sk-test-own-02' } }, origin)
  expect(await served(ada)).toBe('sk-test-own-02')
  await deleteCredential(ada, id, origin)
  expect(await served(ada)).toBe(environmentKey)
})

test('a lent key is asked of the database again after a minute', async () => {
  const { id } = await keep('sk-test-own-01')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    await lend(ada)
    await db().credential.delete({ where: { id } })
    expect(await served(ada)).toBe('sk-test-own-01')
    vi.advanceTimersByTime(60_000)
    expect(await served(ada)).toBe(environmentKey)
  } finally {
    vi.useRealTimers()
  }
})

test("a sealed key moved into another user's row does not open there", async () => {
  const victim = await keep('sk-test-victim-01')
  const thief = await keep('sk-test-thief-01', { by: eve })
  const { sealed, wrappedKey, kekVersion, version } = await db().credential.findUniqueOrThrow({
    where: { id: victim.id },
  })
  await db().credential.update({
    where: { id: thief.id },
    data: { sealed, wrappedKey, kekVersion, version },
  })
  await expect(lend(eve, 'auto', null)).rejects.toMatchObject({ code: 'provider_auth' })
})

test('a row given to another owner, or to everyone, does not open', async () => {
  const { id } = await keep('sk-test-victim-01')
  await db().credential.update({ where: { id }, data: { userId: eve.userId } })
  await expect(lend(eve, 'auto', null)).rejects.toMatchObject({ code: 'provider_auth' })
  await db().credential.update({ where: { id }, data: { userId: null, scope: 'global' } })
  await expect(lend(eve, 'auto', null)).rejects.toMatchObject({ code: 'provider_auth' })
})

test('a row whose address was changed in the database is not lent to that address', async () => {
  const { id } = await keep('sk-test-victim-01')
  await db().credential.update({ where: { id }, data: { baseUrl: 'https://evil.example/v1' } })
  await expect(lend(ada)).rejects.toMatchObject({ code: 'provider_auth' })
  await expect(withStoredCredential(ada, id, origin, async (key) => key)).rejects.toMatchObject({
    code: 'provider_auth',
  })
})

test('a broken record fails; the search does not go on to another key behind the back of its owner', async () => {
  const { id } = await keep('sk-test-own-01')
  await db().credential.update({ where: { id }, data: { sealed: Buffer.of(1) } })
  await expect(lend(ada)).rejects.toMatchObject({ code: 'provider_auth', facts: { remedy: 'vault' } })
})

test('the steps name the key that is then lent, for every kind of agent', async () => {
  await keep('sk-test-global-01', { by: admin, scope: 'global' })
  await keep('compatible-key-9', { scope: 'project', type: 'openai-compatible' })
  await keep('anthropic-key-9', { by: admin, scope: 'global', type: 'anthropic' })
  await keep('sk-test-own-77aa')
  for (const provider of ['auto', 'openai', 'openai-compatible', 'anthropic', 'demo'] as const) {
    const steps = await explainResolution(ada, { projectId, provider })
    expect(steps.map(({ source }) => source)).toEqual([
      'papita_user',
      'papita_global',
      'user',
      'project',
      'global',
      'environment',
      'demo',
    ])
    const lent = await lend(ada, provider)
    expect(steps.filter(({ status }) => status === 'serves')).toEqual([
      expect.objectContaining({ source: lent.source }),
    ])
    expect(await findServingKey(ada, { projectId, provider })).toEqual({ ...lent, apiKey: undefined })
    expect(JSON.stringify(steps)).not.toMatch(/sk-test|compatible-key|anthropic-key/)
  }
  const steps = await explainResolution(ada, { projectId })
  expect(steps.map(({ status }) => status)).toEqual([
    'off',
    'off',
    'serves',
    'available',
    'available',
    'available',
    'available',
  ])
  expect(steps[2]?.detail).toBe('OpenAI key ending 77aa')
})

test('a visitor is told only of what serves everyone', async () => {
  await keep('sk-test-own-01')
  expect(await findServingKey(null, { projectId: null, provider: 'auto' })).toMatchObject({
    source: 'environment',
  })
  await keep('sk-test-global-01', { by: admin, scope: 'global' })
  expect(await findServingKey(null, { projectId: null, provider: 'auto' })).toMatchObject({
    source: 'global',
  })
  await expect(findServingKey(null, { projectId, provider: 'auto' })).rejects.toMatchObject({
    code: 'not_found',
  })
})

test('the last use of a key is noted', async () => {
  const { id } = await keep('sk-test-own-01')
  await lend(ada)
  await expect
    .poll(async () => (await db().credential.findUniqueOrThrow({ where: { id } })).lastUsedAt)
    .toBeInstanceOf(Date)
})

test('what the call that borrowed throws comes through as it is', async () => {
  const fault = new Error('of the call itself')
  const call = withCredential(ada, { projectId, provider: 'auto' }, () => Promise.reject(fault))
  await expect(call).rejects.toBe(fault)
})
