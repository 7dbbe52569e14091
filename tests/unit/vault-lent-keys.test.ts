import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { AppError } from '@/lib/errors'
import { testCredential } from '@/lib/health'
import { createProject } from '@/lib/projects'
import {
  type CredentialQuery,
  deleteCredential,
  findServingKey,
  lendKey,
  listLentKeys,
  updateCredential,
  withCredential,
} from '@/lib/vault'
import { startAnthropic } from '../support/anthropic'
import { makeActor, openLibrary, origin } from '../support/library'
import { forgetKnownPapita, type PapitaServer, startPapita } from '../support/papita'
import { keepKey } from '../support/vault'

const environmentKey = 'sk-test-environment-0e0e'
let papita: PapitaServer
let close: () => Promise<void>
let ada: Actor
let eve: Actor
let admin: Actor
let projectId: string

beforeAll(async () => {
  papita = await startPapita()
  close = await openLibrary({
    OPENAI_API_KEY: environmentKey,
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    PAPITA_API_URL: papita.url,
  })
  ada = await makeActor('ada')
  eve = await makeActor('eve')
  admin = await makeActor('admin', 'admin')
  projectId = (await createProject(ada, CreateProject.parse({ name: 'Engines' }))).id
})
afterAll(async () => {
  await close()
  await papita.close()
})
beforeEach(async () => {
  forgetKnownPapita()
  papita.users.clear()
  const all = await db().credential.findMany({ select: { id: true, scope: true } })
  for (const { id, scope } of all) await deleteCredential(scope === 'global' ? admin : ada, id, origin)
  return () => vi.restoreAllMocks()
})

const compatible = { credentialType: 'openai-compatible', baseUrl: 'http://127.0.0.1:11434/v1' }
const anthropic = { credentialType: 'anthropic', baseUrl: undefined }

type Provider = CredentialQuery['provider']

async function listed(actor: Actor, provider: Provider = 'any', project: string | null = projectId) {
  const keys = await listLentKeys(actor, { projectId: project, provider })
  return keys.map(({ apiKey, source }) => apiKey ?? source)
}

/** Two keys of each kind where a key can lie; of a kind the second one counts. */
async function keepAll(): Promise<void> {
  for (const kind of [anthropic, compatible, {}]) {
    const name = 'credentialType' in kind ? kind.credentialType : 'openai'
    for (const age of ['old', 'new']) {
      await keepKey(ada, `own-${name}-${age}`, kind)
      await keepKey(ada, `project-${name}-${age}`, { ...kind, projectId })
      await keepKey(admin, `global-${name}-${age}`, { ...kind, scope: 'global' })
    }
  }
}

const ofScope = (scope: string) =>
  ['openai', 'openai-compatible', 'anthropic'].map((n) => `${scope}-${n}-new`)

test('all keys come in the order in which they are taken, the newest of each kind in each scope', async () => {
  await keepAll()
  papita.users.set(ada.email, 'sk-test-papita-ada')
  expect(await listed(ada)).toEqual([
    'sk-test-papita-ada',
    ...ofScope('own'),
    ...ofScope('project'),
    ...ofScope('global'),
    environmentKey,
    'demo',
  ])
  expect(await listed(ada, 'any', null)).toEqual([
    'sk-test-papita-ada',
    ...ofScope('own'),
    ...ofScope('global'),
    environmentKey,
    'demo',
  ])
})

test('of one provider only its keys are there, and Papita and the environment have those of OpenAI', async () => {
  await keepAll()
  papita.users.set(ada.email, 'sk-test-papita-ada')
  expect(await listed(ada, 'anthropic')).toEqual(
    ['own', 'project', 'global'].map((scope) => `${scope}-anthropic-new`),
  )
  expect(await listed(ada, 'openai')).toEqual([
    'sk-test-papita-ada',
    ...['own', 'project', 'global'].map((scope) => `${scope}-openai-new`),
    environmentKey,
  ])
  expect(await listed(ada, 'demo')).toEqual(['demo'])
})

test.each(['auto', 'openai', 'openai-compatible', 'anthropic'] as const)(
  'for %s the first of the list is the key that is lent to one call',
  async (provider) => {
    await keepAll()
    const want = { projectId, provider }
    const [first] = await listLentKeys(ada, want)
    expect(await withCredential(ada, want, async (key) => key)).toEqual(first)
    expect({ ...(await findServingKey(ada, want)), apiKey: first?.apiKey }).toEqual(first)
  },
)

test('what is found for agents that take any key of OpenAI’s dialect has no key of Anthropic’s in it', async () => {
  await keepKey(ada, 'own-anthropic', anthropic)
  expect(await listed(ada, 'auto')).toEqual([environmentKey, 'demo'])
})

test('a key of Anthropic’s goes to its own address and says what it is', async () => {
  await keepKey(ada, 'own-anthropic-77aa', { ...anthropic, label: 'Claude' })
  const [key] = await listLentKeys(ada, { projectId: null, provider: 'anthropic' })
  expect(key).toMatchObject({
    provider: 'anthropic',
    baseUrl: 'https://api.anthropic.com',
    last4: '77aa',
    source: 'user',
    label: 'Claude',
  })
})

test('without any key it is said which one is missing', async () => {
  await expect(listed(ada, 'anthropic')).rejects.toMatchObject({
    code: 'provider_auth',
    message: expect.stringContaining('no Anthropic key'),
  })
})

async function breakKey(id: string): Promise<void> {
  await db().credential.update({ where: { id }, data: { sealed: Buffer.of(1) } })
}

test('a key that does not open is passed over as long as another one does', async () => {
  const { id } = await keepKey(ada, 'sk-test-own-01')
  await keepKey(ada, 'own-anthropic', anthropic)
  await breakKey(id)
  expect(await listed(ada)).toEqual(['own-anthropic', environmentKey, 'demo'])
})

test('where nothing but the demo model would be left, the key that does not open is the answer', async () => {
  const own = await keepKey(ada, 'own-anthropic', anthropic)
  await breakKey(own.id)
  await expect(listed(ada, 'anthropic')).rejects.toMatchObject({
    code: 'provider_auth',
    facts: { remedy: 'vault' },
  })
  await expect(listed(ada, 'anthropic')).rejects.toMatchObject({ code: 'provider_auth' })
})

test('a key of Papita’s serves, although the key of the house does not open', async () => {
  const { id } = await keepKey(ada, 'sk-test-own-01')
  await breakKey(id)
  papita.users.set(ada.email, 'sk-test-papita-ada')
  expect(await listed(ada, 'openai')).toEqual(['sk-test-papita-ada', environmentKey])
})

test('what was just listed is listed again without asking the database', async () => {
  await keepKey(ada, 'sk-test-own-01')
  await listed(ada, 'any', null)
  await db().credential.deleteMany({})
  expect(await listed(ada, 'any', null)).toEqual(['sk-test-own-01', environmentKey, 'demo'])
})

test('a list is held for a minute, and after that made anew', async () => {
  await keepKey(ada, 'sk-test-own-01')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    await listed(ada)
    await db().credential.deleteMany({})
    vi.advanceTimersByTime(60_000)
    expect(await listed(ada)).toEqual([environmentKey, 'demo'])
  } finally {
    vi.useRealTimers()
  }
})

test('a new, replaced or deleted key counts from the next list on', async () => {
  expect(await listed(ada)).toEqual([environmentKey, 'demo'])
  const { id } = await keepKey(ada, 'sk-test-own-01')
  expect(await listed(ada)).toEqual(['sk-test-own-01', environmentKey, 'demo'])
  await updateCredential(ada, id, { credentials: { api_key: 'sk-test-own-02' } }, origin)
  expect(await listed(ada)).toEqual(['sk-test-own-02', environmentKey, 'demo'])
  await deleteCredential(ada, id, origin)
  expect(await listed(ada)).toEqual([environmentKey, 'demo'])
})

test('a key whose time is over is not in the list, although it was when the list was made', async () => {
  await keepKey(ada, 'sk-test-older-01')
  await keepKey(ada, 'sk-test-ending-01', { expiresAt: new Date(Date.now() + 3_600_000).toISOString() })
  expect(await listed(ada)).toContain('sk-test-ending-01')
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_001 })
  try {
    expect(await listed(ada)).toEqual(['sk-test-older-01', environmentKey, 'demo'])
  } finally {
    vi.useRealTimers()
  }
})

test('nobody is listed the keys of others, nor those of a project that is not shared with them any more', async () => {
  await keepAll()
  await expect(listed(eve)).rejects.toMatchObject({ code: 'not_found' })
  expect(await listed(eve, 'any', null)).toEqual([...ofScope('global'), environmentKey, 'demo'])
  await db().projectMember.create({ data: { projectId, userId: eve.userId, role: 'viewer' } })
  expect(await listed(eve)).toEqual(expect.arrayContaining(ofScope('project')))
  await db().projectMember.delete({ where: { projectId_userId: { projectId, userId: eve.userId } } })
  await expect(listed(eve)).rejects.toMatchObject({ code: 'not_found' })
})

test('a key that was listed is lent to a call: its use is noted, and a refusal of Papita’s key names Papita', async () => {
  const { id } = await keepKey(ada, 'sk-test-own-01')
  papita.users.set(ada.email, 'sk-test-papita-7a7a')
  const [papitas, own] = await listLentKeys(ada, { projectId: null, provider: 'any' })
  if (!papitas || !own) throw new Error('two keys were to be listed')
  expect(await lendKey(own, async ({ apiKey }) => apiKey)).toBe('sk-test-own-01')
  const lastUse = async () => (await db().credential.findUniqueOrThrow({ where: { id } })).lastUsedAt
  await expect.poll(lastUse).toBeInstanceOf(Date)
  const refused = new AppError('provider_auth', 'OpenAI refused the key.')
  await expect(lendKey(papitas, () => Promise.reject(refused))).rejects.toMatchObject({
    message: 'OpenAI does not accept the key ending 7a7a that Papita has. Replace it there.',
  })
})

test('a stored key of Anthropic’s is tested at Anthropic, and what it says is noted', async () => {
  const server = await startAnthropic()
  try {
    const keepAt = (apiKey: string) => keepKey(ada, apiKey, { ...anthropic, baseUrl: server.baseUrl })
    const good = await keepAt('sk-ant-good-0001')
    expect(await testCredential(ada, good.id, origin)).toMatchObject({ ok: true, models: 3 })
    const bad = await keepAt('sk-bad-0001-9e77')
    expect(await testCredential(ada, bad.id, origin)).toMatchObject({
      ok: false,
      error: 'Anthropic refused the key ending 9e77. Replace it in the vault.',
    })
    const rows = await db().credential.findMany({ orderBy: { createdAt: 'asc' } })
    expect(rows.map(({ failure }) => failure)).toEqual([null, 'refused'])
    expect(server.journal.map(({ headers }) => headers['x-api-key'])).toEqual([
      'sk-ant-good-0001',
      'sk-bad-0001-9e77',
    ])
  } finally {
    await server.close()
  }
})
