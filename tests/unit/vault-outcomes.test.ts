import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateCredential, UpdateCredential } from '@/lib/contracts/credentials'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { AppError } from '@/lib/errors'
import { addMember, createProject } from '@/lib/projects'
import {
  createCredential,
  deleteCredential,
  explainResolution,
  listCredentials,
  listKeyConcerns,
  noteOutcome,
  pageCredentials,
  updateCredential,
  withCredential,
  withStoredCredential,
} from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
  eve = await makeActor('eve')
})
afterAll(() => close())
afterEach(async () => {
  for (const { id } of await listCredentials(ada)) await deleteCredential(ada, id, origin)
})

const dayMs = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString()

function keep(more: object = {}, by = ada) {
  const input = { credentialType: 'openai', credentials: { api_key: 'sk-test-kept-1234' }, ...more }
  return createCredential(by, CreateCredential.parse(input), origin)
}

const lend = (by = ada, projectId: string | null = null) =>
  withCredential(by, { projectId, provider: 'openai' }, async (key) => key)
const view = async (id: string, by = ada) => (await listCredentials(by)).find((each) => each.id === id)
const refused = new AppError('provider_auth', 'Refused.', { facts: { remedy: 'vault', failure: 'refused' } })
const noCredit = new AppError('provider_failed', 'No credit.', { facts: { failure: 'quota' } })
const endNow = (id: string) =>
  db().credential.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1) } })

test('what a key fails with is noted with its time, and gone once the key has worked', async () => {
  const { id } = await keep()
  expect(await view(id)).toMatchObject({ failure: null, failedAt: null, expiresAt: null })
  await noteOutcome(await lend(), refused)
  expect(await view(id)).toMatchObject({ failure: 'refused', failedAt: expect.stringMatching(/Z$/) })
  await noteOutcome(await lend(), noCredit)
  expect(await view(id)).toMatchObject({ failure: 'quota' })
  await noteOutcome(await lend(), null)
  expect(await view(id)).toMatchObject({ failure: null, failedAt: null })
})

test('what is no fault of the key changes nothing about it', async () => {
  const { id } = await keep()
  const key = await lend()
  for (const error of [
    new Error('of our own'),
    new AppError('provider_failed', 'Overloaded.', { facts: { remedy: 'retry' } }),
    new AppError('provider_failed', 'Odd.', { facts: { failure: 'a word of someone else' } }),
    'stopped',
    undefined,
  ])
    await noteOutcome(key, error)
  expect(await view(id)).toMatchObject({ failure: null, failedAt: null })
  await noteOutcome(key, refused)
  await noteOutcome(key, 'stopped')
  expect(await view(id)).toMatchObject({ failure: 'refused' })
})

test('the same outcome is written once, however many calls have it, and is no change of the record', async () => {
  const { id, updatedAt } = await keep()
  const key = await lend()
  const rowOf = () => db().$queryRaw<{ xmin: string }[]>`
    SELECT xmin::text, failed_at FROM credentials WHERE id = ${id}::uuid`
  await expect.poll(async () => (await view(id))?.lastUsedAt).not.toBeNull()
  await noteOutcome(key, refused)
  const first = await rowOf()
  for (let call = 0; call < 50; call += 1) await noteOutcome(key, refused)
  expect(await rowOf()).toEqual(first)
  const changedAt = (await view(id))?.updatedAt
  await noteOutcome(key, null)
  const second = await rowOf()
  expect(second).not.toEqual(first)
  for (let call = 0; call < 50; call += 1) await noteOutcome(key, null)
  expect(await rowOf()).toEqual(second)
  expect((await view(id))?.updatedAt).toBe(changedAt)
  expect(updatedAt).toMatch(/Z$/)
})

test('a call that is late with the fault of a replaced key says nothing against the new one', async () => {
  const { id } = await keep()
  const old = await lend()
  await noteOutcome(old, refused)
  await updateCredential(ada, id, { credentials: { api_key: 'sk-test-newer-1234' } }, origin)
  expect(await view(id)).toMatchObject({ failure: null, failedAt: null })
  await noteOutcome(old, noCredit)
  expect(await view(id)).toMatchObject({ failure: null })
  await noteOutcome(await lend(), noCredit)
  await noteOutcome(old, null)
  expect(await view(id)).toMatchObject({ failure: 'quota' })
})

test('a use of a key is no change of its record', async () => {
  const { id, updatedAt } = await keep()
  await lend()
  await expect.poll(async () => (await view(id))?.lastUsedAt).not.toBeNull()
  expect((await view(id))?.updatedAt).toBe(updatedAt)
})

test('keys that are in no record, and records that are gone, are nothing to note', async () => {
  await noteOutcome({ credentialId: null }, refused)
  const { id } = await keep()
  const key = await lend()
  await deleteCredential(ada, id, origin)
  await noteOutcome(key, refused)
  expect(await view(id)).toBeUndefined()
})

test('a key serves until it expires, and then the next in the order does', async () => {
  const everyone = await keep({}, ada)
  const { id } = await keep({ expiresAt: inDays(1) })
  expect((await lend()).credentialId).toBe(id)
  await endNow(id)
  await updateCredential(ada, everyone.id, { label: 'Changed' }, origin)
  expect((await lend()).credentialId).toBe(everyone.id)
  const steps = await explainResolution(ada, { provider: 'openai' })
  const user = steps.find(({ source }) => source === 'user')
  expect(user).toMatchObject({ source: 'user', status: 'serves', detail: 'OpenAI key ending 1234 (Changed)' })
  const tried = withStoredCredential(ada, id, origin, async (key) => key)
  await expect(tried).rejects.toMatchObject({
    code: 'provider_auth',
    message: expect.stringContaining('it expired on'),
  })
})

test('a key that was lent a moment ago is not lent again after its end', async () => {
  const { id } = await keep({ expiresAt: inDays(1) })
  await lend()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + dayMs - 1000 })
  try {
    expect((await lend()).credentialId).toBe(id)
    vi.setSystemTime(Date.now() + 1001)
    await expect(lend()).rejects.toMatchObject({ code: 'provider_auth' })
  } finally {
    vi.useRealTimers()
  }
})

test('the end of a key is set, moved and taken away; a replaced key has no end but its own', async () => {
  const { id } = await keep({ expiresAt: '2099-01-31T12:00:00+02:00' })
  const change = (body: object) => updateCredential(ada, id, UpdateCredential.parse(body), origin)
  expect(await view(id)).toMatchObject({ expiresAt: '2099-01-31T10:00:00.000Z' })
  await change({ label: 'Still' })
  expect(await view(id)).toMatchObject({ expiresAt: '2099-01-31T10:00:00.000Z' })
  await change({ expiresAt: null })
  expect(await view(id)).toMatchObject({ expiresAt: null })
  await change({ expiresAt: '2098-01-01T00:00:00Z' })
  await change({ credentials: { api_key: 'sk-test-another-99' } })
  expect(await view(id)).toMatchObject({ expiresAt: null, last4: 'r-99' })
  await change({ credentials: { api_key: 'sk-test-another-77' }, expiresAt: '2098-01-01T00:00:00Z' })
  expect(await view(id)).toMatchObject({ expiresAt: '2098-01-01T00:00:00.000Z' })
})

test.each([
  ['2001-01-01T00:00:00Z'],
  ['tomorrow'],
  ['2099-01-31'],
  [''],
  [4_102_444_800_000],
  [new Date(0).toISOString()],
])('an end of %j is refused', (expiresAt) => {
  const input = { credentialType: 'openai', credentials: { api_key: 'sk-test' }, expiresAt }
  expect(CreateCredential.safeParse(input).error?.issues[0]?.path).toEqual(['expiresAt'])
})

test('what pages are told besides is not in the record of the contract', async () => {
  const made = await keep({ expiresAt: inDays(3) })
  const { items } = await pageCredentials(ada, { limit: 10 })
  for (const record of [made, ...items]) {
    expect(Object.keys(record)).not.toEqual(expect.arrayContaining(['expiresAt']))
    expect(record).not.toHaveProperty('failure')
    expect(record).not.toHaveProperty('failedAt')
  }
})

test('keys that have expired, fail, or expire within 14 days ask for attention, in that order, and of whom they concern', async () => {
  const project = await createProject(ada, CreateProject.parse({ name: 'Shared' }))
  await addMember(ada, project.id, { user_id: eve.userId, role: 'viewer' }, origin)
  await keep({ label: 'soon', expiresAt: inDays(13.9) })
  await keep({ label: 'sooner', expiresAt: inDays(2) })
  await keep({ label: 'later', expiresAt: inDays(14.1) })
  await keep({ label: 'never' })
  const over = await keep({ label: 'over', expiresAt: inDays(1) })
  const shared = await keep({ label: 'shared', projectId: project.id, expiresAt: inDays(1) })
  await endNow(over.id)
  await noteOutcome(await lend(ada, project.id), null)
  await noteOutcome({ credentialId: shared.id, version: 1 }, refused)
  await noteOutcome({ credentialId: over.id, version: 1 }, refused)
  const told = async (actor: Actor) =>
    (await listKeyConcerns(actor)).map(({ kind, credential }) => [kind, credential.label])
  expect(await told(ada)).toEqual([
    ['expired', 'over'],
    ['failing', 'shared'],
    ['expiring', 'sooner'],
    ['expiring', 'soon'],
  ])
  expect(await told(eve)).toEqual([['failing', 'shared']])
  expect(await told(await makeActor('admin', 'admin'))).toEqual([])
  expect(JSON.stringify(await listKeyConcerns(ada))).not.toContain('sk-test')
})
