import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateCredential, type ResolutionStep } from '@/lib/contracts/credentials'
import { CreateProject, type ModelProvider } from '@/lib/contracts/projects'
import { AppError } from '@/lib/errors'
import { createProject } from '@/lib/projects'
import {
  createCredential,
  deleteCredential,
  explainResolution,
  findServingKey,
  type LentKey,
  withCredential,
} from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'
import {
  askedAbout,
  forgetKnownPapita,
  type PapitaFault,
  type PapitaServer,
  startPapita,
} from '../support/papita'

const token = 'papita-token-of-the-tests-5151'
const environmentKey = 'sk-test-environment-0e0e'
const baseUrl = 'http://127.0.0.1:9/v1'
/** In every answer that is no key; must be nowhere afterwards. */
const canary = 'sk-test-canary-of-papita'

let papita: PapitaServer
let close: () => Promise<void>
let ada: Actor
let eve: Actor
let projectId: string

beforeAll(async () => {
  papita = await startPapita({ token })
  close = await openLibrary({
    OPENAI_API_KEY: environmentKey,
    OPENAI_BASE_URL: baseUrl,
    PAPITA_API_URL: papita.url,
    PAPITA_API_TOKEN: token,
  })
  ada = await makeActor('ada')
  eve = await makeActor('eve')
  projectId = (await createProject(ada, CreateProject.parse({ name: 'Engines' }))).id
})
afterAll(async () => {
  await close()
  await papita.close()
})
beforeEach(() => {
  forgetKnownPapita()
  papita.play('normal')
  papita.users.clear()
  papita.projects.clear()
  papita.global.key = null
  papita.habits.isStrict = false
  papita.journal.length = 0
  return () => vi.useRealTimers()
})

const lend = (actor: Actor = ada, provider: ModelProvider = 'auto', project: string | null = projectId) =>
  withCredential(actor, { projectId: project, provider }, async (key) => key)

const served = async (...wanted: Parameters<typeof lend>) => (await lend(...wanted)).apiKey

const steps = async (): Promise<Record<string, ResolutionStep>> =>
  Object.fromEntries((await explainResolution(ada, { projectId })).map((step) => [step.source, step]))

/** The clock of this process, and nothing of its timers. */
const passTime = (ms: number) => {
  const now = Date.now()
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(now + ms)
}

test("Papita comes before all: the user's key, the project's, everyone's, and only then the vault", async () => {
  const own = await createCredential(
    ada,
    CreateCredential.parse({ credentialType: 'openai', credentials: { api_key: 'sk-test-own-0001' } }),
    origin,
  )
  papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
  papita.projects.set(projectId, 'sk-test-papita-project')
  papita.global.key = 'sk-test-papita-global'
  expect(await lend()).toEqual({
    provider: 'openai',
    apiKey: 'sk-test-papita-ada-7a7a',
    baseUrl,
    last4: '7a7a',
    source: 'papita',
    credentialId: null,
    label: null,
  } satisfies LentKey)
  const next = async () => {
    forgetKnownPapita()
    return served()
  }
  papita.users.clear()
  expect(await next()).toBe('sk-test-papita-project')
  papita.projects.clear()
  expect(await next()).toBe('sk-test-papita-global')
  papita.global.key = null
  expect(await next()).toBe('sk-test-own-0001')
  await deleteCredential(ada, own.id, origin)
  expect(await next()).toBe(environmentKey)
})

test('Papita is asked for this user and project, with the token; for everyone only where the user has no key', async () => {
  papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
  await lend()
  expect(papita.journal).toEqual([
    expect.objectContaining({
      about: 'project',
      url: `/api/credentials?username=${encodeURIComponent(ada.email)}&credentialType=openai&projectId=${projectId}`,
      authorization: `Bearer ${token}`,
    }),
  ])
  papita.journal.length = 0
  await lend(eve, 'openai', null)
  expect(papita.journal.map(({ about, username, projectId: asked }) => [about, username, asked])).toEqual([
    ['user', eve.email, null],
    ['global', null, null],
  ])
})

test("a Papita that looks at a project's keys alone is asked for the user's too", async () => {
  papita.habits.isStrict = true
  papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
  expect(await served()).toBe('sk-test-papita-ada-7a7a')
  expect(askedAbout(papita)).toEqual(['project', 'user'])
  papita.projects.set(projectId, 'sk-test-papita-project')
  forgetKnownPapita()
  expect(await served()).toBe('sk-test-papita-project')
})

test('a name with signs that mean something in an address stays a name', async () => {
  const odd: Actor = { ...(await makeActor('odd')), email: 'a&credentialType=x#?/../é+%26@example.com' }
  papita.users.set(odd.email, 'sk-test-papita-odd')
  expect(await served(odd, 'auto', null)).toBe('sk-test-papita-odd')
})

test.each(['openai-compatible', 'demo'] as const)('an agent of %s does not ask Papita', async (provider) => {
  papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
  await lend(ada, provider).catch(() => null)
  const told = await explainResolution(ada, { projectId, provider })
  expect(told.slice(0, 2).map(({ status }) => status)).toEqual(['off', 'off'])
  expect(papita.journal).toEqual([])
})

test("for a stranger's project Papita is not even asked", async () => {
  papita.projects.set(projectId, 'sk-test-papita-project')
  await expect(lend(eve)).rejects.toMatchObject({ code: 'not_found' })
  await expect(explainResolution(eve, { projectId })).rejects.toMatchObject({ code: 'not_found' })
  expect(papita.journal).toEqual([])
})

test('a visitor is told of what Papita has for everyone, and Papita of no name', async () => {
  papita.global.key = 'sk-test-papita-global'
  const want = { projectId: null, provider: 'auto' as const }
  expect(await findServingKey(null, want)).toMatchObject({ source: 'papita', last4: 'obal' })
  expect(askedAbout(papita)).toEqual(['global'])
})

const credential = (inner: unknown, outer: object = {}) => ({
  body: { success: true, credentials: { id: '1', ...outer, credentials: inner } },
})
const strange = /in a form that AL-Chat does not know/
const noKey = /is no key: it is empty, too long, or has characters/
const elsewhere = /for another address/
const faults: [string, PapitaFault, RegExp][] = [
  ['401', { status: 401 }, /does not accept PAPITA_API_TOKEN/],
  ['403', { status: 403 }, /does not allow this server/],
  ['429', { status: 429 }, /answers with status 429/],
  ['500', { status: 500 }, /error of its own \(status 500\)/],
  ['503', { status: 503 }, /error of its own \(status 503\)/],
  ['a 204', { status: 204 }, /answers with status 204/],
  ['a page', 'html', /not JSON/],
  ['a body without end', 'giant', /more than 64 KB/],
  ['a bomb', 'gzip_bomb', /compressed/],
  ['a broken connection', 'reset', /breaks the connection off/],
  ['silence', 'hang', /within 2 s/],
  ['silence in mid-body', 'hang_in_body', /within 2 s/],
  ['null', { body: null }, strange],
  ['a number', { body: 7 }, strange],
  ['a list', { body: [canary] }, strange],
  ['no credential', { body: { success: true } }, strange],
  ['a credential that is null', { body: { success: true, credentials: null } }, strange],
  ['a key at the wrong place', { body: { success: true, credentials: { api_key: canary } } }, strange],
  ['nothing of success', { body: { credentials: { credentials: { api_key: canary } } } }, strange],
  ['no key', credential({}), strange],
  ['a key that is null', credential({ api_key: null }), strange],
  ['a key that is a number', credential({ api_key: 4242 }), strange],
  ['another kind of key', credential({ api_key: canary }, { credentialType: 'anthropic' }), strange],
  ['no success', { body: { success: false, error: canary } }, /could not look/],
  ['an empty key', credential({ api_key: '' }), noKey],
  ['a key of spaces', credential({ api_key: '   ' }), noKey],
  ['a key with a line break', credential({ api_key: `${canary}\n` }), noKey],
  ['a key with another header in it', credential({ api_key: `${canary}\r\nx-evil: 1` }), noKey],
  ['a key with a null character', credential({ api_key: `${canary}\u0000` }), noKey],
  ['a key of other letters', credential({ api_key: 'ключ' }), noKey],
  ['a key that is too long', credential({ api_key: 'k'.repeat(4097) }), noKey],
  [
    'a key for another host',
    credential({ api_key: canary }, { baseUrl: 'https://evil.example/v1' }),
    elsewhere,
  ],
  ['a key for no address', credential({ api_key: canary, base_url: 'evil' }), elsewhere],
]

describe('whatever Papita does, the next key serves, and the steps say what was wrong', () => {
  test.each(faults)('%s', async (_name, fault, words) => {
    papita.play(fault)
    expect(await served()).toBe(environmentKey)
    const told = await steps()
    expect(told.papita_user).toMatchObject({ status: 'failed', detail: expect.stringMatching(words) })
    expect(told.papita_global).toMatchObject({ status: 'failed', detail: expect.stringMatching(words) })
    expect(told.environment?.status).toBe('serves')
    expect(JSON.stringify(told)).not.toMatch(new RegExp(`${canary}|${token}|evil|So it is`))
  })

  test('a connection that is refused', async () => {
    await papita.refuse()
    try {
      expect(await served()).toBe(environmentKey)
      expect((await steps()).papita_user?.detail).toMatch(/refuses the connection/)
    } finally {
      await papita.listen()
    }
  })

  test('nothing there is no fault', async () => {
    expect(await served()).toBe(environmentKey)
    const { papita_user, papita_global } = await steps()
    expect([papita_user?.status, papita_global?.status]).toEqual(['empty', 'empty'])
  })
})

test('a body without end is cut', async () => {
  papita.play('giant')
  await lend()
  expect(askedAbout(papita)).toEqual(['project', 'user', 'global'])
  await expect.poll(() => papita.endless.open).toBe(0)
})

test('a redirect is not followed: the other place gets neither the token nor the name', async () => {
  const got: unknown[] = []
  const elsewhere = createServer((request, response) => {
    got.push(request.headers)
    response.end('{}')
  })
  await new Promise<void>((done) => elsewhere.listen(0, '127.0.0.1', done))
  papita.play({ redirect: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/api/credentials` })
  expect(await served()).toBe(environmentKey)
  expect((await steps()).papita_user?.detail).toMatch(/not followed/)
  expect(got).toEqual([])
  await new Promise((done) => elsewhere.close(done))
})

test('a slow Papita is waited for', async () => {
  papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
  papita.play({ delayMs: 1500 })
  expect(await served()).toBe('sk-test-papita-ada-7a7a')
})

test('nobody waits 2 s twice: an answer that comes later serves the next call', async () => {
  papita.global.key = 'sk-test-papita-global'
  papita.play({ delayMs: 1500 })
  const lendOutside = () => served(ada, 'auto', null)
  expect(await lendOutside()).toBe(environmentKey)
  await expect.poll(lendOutside, { timeout: 5000 }).toBe('sk-test-papita-global')
  expect(askedAbout(papita)).toEqual(['user', 'global'])
})

test('twenty calls at once ask once', async () => {
  papita.play({ delayMs: 100 })
  papita.global.key = 'sk-test-papita-global'
  const keys = await Promise.all(Array.from({ length: 20 }, () => served()))
  expect(new Set(keys)).toEqual(new Set(['sk-test-papita-global']))
  expect(askedAbout(papita)).toEqual(['project', 'user', 'global'])
})

describe('while Papita is silent', () => {
  test('one call waits, and those after it do not ask', async () => {
    papita.play('reset')
    await lend()
    await Promise.all([lend(), lend(eve, 'auto', null), steps()])
    expect(askedAbout(papita)).toEqual(['project'])
  })

  test('however many different people come before that is known, they are not all at its door', async () => {
    papita.play('hang')
    const people = await Promise.all(Array.from({ length: 60 }, (_, n) => makeActor(`crowd-${n}`)))
    const keys = await Promise.all(people.map((person) => served(person, 'auto', null)))
    expect(new Set(keys)).toEqual(new Set([environmentKey]))
    expect(papita.journal.length).toBeLessThanOrEqual(32)
    await Promise.all(people.map((person) => lend(person, 'auto', null)))
    expect(papita.journal.length).toBeLessThanOrEqual(32)
  })

  test('who waited in vain for one answer does not begin another question', async () => {
    papita.play('hang')
    await lend()
    await steps()
    expect(askedAbout(papita)).toEqual(['project'])
  })

  test('after ten seconds one question is asked, however many would; its answer ends the silence', async () => {
    papita.play('reset')
    await lend()
    passTime(10_001)
    papita.play('hang')
    papita.journal.length = 0
    await Promise.all(Array.from({ length: 10 }, (_, index) => lend(index % 2 ? ada : eve, 'auto', null)))
    expect(askedAbout(papita)).toEqual(['user'])
    papita.play('normal')
    papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
    expect(await served()).toBe(environmentKey)
    passTime(10_001)
    expect(await served()).toBe('sk-test-papita-ada-7a7a')
    expect((await steps()).papita_user).toMatchObject({ status: 'serves', detail: 'OpenAI key ending 7a7a' })
  })

  test("one user's broken record is no silence: others are served", async () => {
    papita.play({ status: 500 })
    await lend(ada)
    papita.play('normal')
    papita.users.set(eve.email, 'sk-test-papita-eve')
    expect(await served(eve, 'auto', null)).toBe('sk-test-papita-eve')
  })
})

describe('what Papita said is kept', () => {
  test('for a minute where it is a key', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
    await lend()
    papita.users.set(ada.email, 'sk-test-papita-ada-8b8b')
    vi.advanceTimersByTime(59_000)
    expect(await served()).toBe('sk-test-papita-ada-7a7a')
    vi.advanceTimersByTime(1000)
    expect(await served()).toBe('sk-test-papita-ada-8b8b')
  })

  test.each<[string, PapitaFault]>([
    ['there is none', 'normal'],
    ['it is no key', credential({ api_key: '' })],
  ])('for ten seconds where %s', async (_name, fault) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    papita.play(fault)
    await lend()
    papita.play('normal')
    papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
    expect(await served()).toBe(environmentKey)
    vi.advanceTimersByTime(10_000)
    expect(await served()).toBe('sk-test-papita-ada-7a7a')
  })

  test('until anything changes in the vault', async () => {
    papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
    await lend()
    papita.users.clear()
    const input = { credentialType: 'openai', credentials: { api_key: 'sk-test-own-0001' } }
    const { id } = await createCredential(ada, CreateCredential.parse(input), origin)
    expect(await served()).toBe('sk-test-own-0001')
    await deleteCredential(ada, id, origin)
  })

  test('until its provider refuses it: the next call asks anew', async () => {
    papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
    const refused = new AppError('provider_auth', 'refused')
    const call = withCredential(ada, { projectId, provider: 'auto' }, () => Promise.reject(refused))
    await expect(call).rejects.toMatchObject({
      code: 'provider_auth',
      message: 'OpenAI does not accept the key ending 7a7a that Papita has. Replace it there.',
      facts: { remedy: 'vault' },
    })
    papita.users.set(ada.email, 'sk-test-papita-ada-8b8b')
    expect(await served()).toBe('sk-test-papita-ada-8b8b')
  })

  test('though a call failed for another reason, which comes through as it is', async () => {
    papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
    const fault = new AppError('provider_failed', 'no credit')
    const call = withCredential(ada, { projectId, provider: 'auto' }, () => Promise.reject(fault))
    await expect(call).rejects.toBe(fault)
    papita.journal.length = 0
    await lend()
    expect(papita.journal).toEqual([])
  })
})
