import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateCredential } from '@/lib/contracts/credentials'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { createProject } from '@/lib/projects'
import { checkPapita, createCredential, explainResolution, withCredential } from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'
import { forgetKnownPapita, type PapitaServer, startPapita } from '../support/papita'

/*
 * Which key serves whom, and how Papita is; with an address that ends in `/api`, as some write it.
 */

let papita: PapitaServer
let close: () => Promise<void>
let ada: Actor
let admin: Actor
let projectId: string

beforeAll(async () => {
  papita = await startPapita()
  close = await openLibrary({ PAPITA_API_URL: `${papita.url}/api/` })
  ada = await makeActor('ada')
  admin = await makeActor('admin', 'admin')
  projectId = (await createProject(ada, CreateProject.parse({ name: 'Engines' }))).id
})
afterAll(async () => {
  await close()
  await papita.close()
})
beforeEach(async () => {
  forgetKnownPapita()
  papita.play('normal')
  papita.users.clear()
  papita.global.key = null
  papita.health.status = 200
  papita.journal.length = 0
  await db().credential.deleteMany()
  return () => vi.useRealTimers()
})

const keep = (api_key: string, more: object = {}, by = ada) =>
  createCredential(
    by,
    CreateCredential.parse({ credentialType: 'openai', credentials: { api_key }, ...more }),
    origin,
  )

const statuses = async (about: Parameters<typeof explainResolution>[1] = { projectId }, by = ada) =>
  (await explainResolution(by, about)).map(({ status }) => status)

test('the steps tell of each place what is there, and what was not even asked', async () => {
  await keep('sk-test-own-0001')
  expect(await statuses()).toEqual(['empty', 'empty', 'serves', 'empty', 'empty', 'empty', 'available'])
  forgetKnownPapita()
  papita.global.key = 'sk-test-papita-global'
  expect(await statuses()).toEqual(['empty', 'serves', 'available', 'empty', 'empty', 'empty', 'available'])
  forgetKnownPapita()
  papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
  const steps = await explainResolution(ada, { projectId })
  expect(steps.slice(0, 3).map(({ status, detail }) => [status, detail])).toEqual([
    ['serves', 'OpenAI key ending 7a7a'],
    ['unasked', 'Papita was not asked for it: the key before it serves.'],
    ['available', 'OpenAI key ending 0001'],
  ])
})

test('a key whose time is over is told as such, and the next one serves', async () => {
  const { id } = await keep('sk-test-own-0001')
  await keep('sk-test-project-0001', { scope: 'project', projectId })
  await db().credential.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1000) } })
  expect(await statuses()).toEqual(['empty', 'empty', 'expired', 'serves', 'empty', 'empty', 'available'])
  await keep('sk-test-own-0002')
  expect((await statuses())[2]).toBe('serves')
})

test('an admin may ask for another user, and hears of that user’s keys only that they are there', async () => {
  papita.users.set(ada.email, 'sk-test-papita-ada-7a7a')
  await keep('sk-test-own-5c5c', { label: 'My diary' })
  await keep('ollama-key-9d9d', {
    credentialType: 'openai-compatible',
    baseUrl: 'http://127.0.0.1:11434/v1',
    projectId,
  })
  await keep('sk-test-global-6e6e', { scope: 'global' }, admin)
  const steps = await explainResolution(admin, { projectId, userId: ada.userId })
  expect(steps.map(({ source, detail }) => `${source}: ${detail}`).slice(0, 5)).toEqual([
    'papita_user: OpenAI key',
    'papita_global: Papita was not asked for it: the key before it serves.',
    'user: OpenAI key',
    'project: OpenAI-compatible key',
    'global: OpenAI key ending 6e6e',
  ])
  papita.users.clear()
  forgetKnownPapita()
  const emptied = await explainResolution(admin, { projectId, userId: ada.userId })
  expect(emptied[0]?.detail).toBe('Papita has no key for this account.')
  const own = await explainResolution(ada, { projectId, userId: ada.userId })
  expect(own[0]?.detail).toBe('Papita has no key for you.')
  expect(own[2]?.detail).toBe('OpenAI key ending 5c5c (My diary)')
})

test('nobody else may ask for another user, and an admin not for what that user has no share in', async () => {
  const eve = await makeActor('eve')
  const about = { projectId, userId: ada.userId }
  await expect(explainResolution(eve, about)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(explainResolution(admin, { projectId })).rejects.toMatchObject({ code: 'not_found' })
  await expect(explainResolution(admin, { projectId, userId: eve.userId })).rejects.toMatchObject({
    code: 'not_found',
  })
  const gone = { projectId, userId: projectId }
  await expect(explainResolution(admin, gone)).rejects.toMatchObject({ code: 'not_found' })
  const bound: Actor = { ...admin, boundTo: eve.userId }
  await expect(explainResolution(bound, about)).rejects.toMatchObject({ code: 'not_found' })
  expect(papita.journal).toEqual([])
})

const lend = () => withCredential(ada, { projectId: null, provider: 'auto' }, async (key) => key)

test('Papita is healthy where it answers, though it has no key and no health of its own', async () => {
  await lend()
  for (const status of [200, 401, 404]) {
    forgetKnownPapita()
    papita.health.status = status
    expect(await checkPapita()).toEqual({ status: 'healthy', latency_ms: expect.any(Number) })
  }
})

test('it is asked how it is without a name, once in a while, however often anybody wants to know', async () => {
  await Promise.all(Array.from({ length: 20 }, () => checkPapita()))
  await checkPapita()
  expect(papita.journal).toEqual([expect.objectContaining({ url: '/api/health', authorization: null })])
})

test('Papita is down where it has an error, is silent, or is not there', async () => {
  papita.health.status = 500
  expect(await checkPapita()).toMatchObject({ status: 'down', detail: expect.stringMatching(/status 500/) })
  forgetKnownPapita()
  papita.play('hang')
  expect(await checkPapita()).toMatchObject({ status: 'down', detail: expect.stringMatching(/within 2 s/) })
  forgetKnownPapita()
  await papita.refuse()
  const refused = await checkPapita()
  await papita.listen()
  expect(refused).toMatchObject({ status: 'down', detail: 'Papita refuses the connection.' })
})

test('Papita is degraded where a question failed, until one is answered, for a minute at most', async () => {
  papita.play({ status: 503 })
  await lend()
  papita.play('normal')
  expect(await checkPapita()).toMatchObject({
    status: 'degraded',
    detail: 'A question for a key failed. Papita has an error of its own (status 503).',
  })
  const now = Date.now()
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(now + 10_001)
  await lend()
  expect((await checkPapita()).status).toBe('healthy')
  forgetKnownPapita()
  papita.play('html')
  await lend()
  expect((await checkPapita()).status).toBe('degraded')
  vi.setSystemTime(now + 80_000)
  expect((await checkPapita()).status).toBe('healthy')
})
