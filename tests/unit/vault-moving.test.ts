import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { UpdateCredential } from '@/lib/contracts/credentials'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { createProject } from '@/lib/projects'
import { updateCredential } from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'
import { baseUrl, keepKey, openNow } from '../support/vault'

let close: () => Promise<void>
let admin: Actor
let ada: Actor
let eve: Actor
let projectId: string

beforeAll(async () => {
  close = await openLibrary()
  admin = await makeActor('admin', 'admin')
  ada = await makeActor('ada')
  eve = await makeActor('eve')
  projectId = (await createProject(ada, CreateProject.parse({ name: 'Engines' }))).id
  await db().projectMember.create({ data: { projectId, userId: eve.userId, role: 'editor' } })
})
afterAll(() => close())
beforeEach(async () => {
  await db().credential.deleteMany()
})

const put = (by: Actor, id: string, body: object) =>
  updateCredential(by, id, UpdateCredential.parse(body), origin)
const rowOf = (id: string) => db().credential.findUniqueOrThrow({ where: { id } })
const needs = (path: string) =>
  expect.objectContaining({ code: 'invalid_input', issues: [expect.objectContaining({ path })] })
const keyAgain = { credentials: { api_key: 'sk-test-again-22bb' } }

test('one’s own key is given to a project, sealed for its new owner, and opens there alone', async () => {
  const { id } = await keepKey(ada, 'sk-test-own-11aa')
  const before = await rowOf(id)
  expect(await put(ada, id, { projectId })).toMatchObject({
    scope: 'project',
    projectId,
    username: null,
    last4: '11aa',
  })
  expect(await openNow(id)).toMatchObject({ apiKey: 'sk-test-own-11aa', baseUrl })
  expect(await rowOf(id)).toMatchObject({ userId: null, version: 2 })
  // Given back by hand, under any version, it opens for nobody.
  for (const version of [1, 2]) {
    await db().credential.update({
      where: { id },
      data: { scope: 'user', userId: ada.userId, projectId: null, version },
    })
    await expect(openNow(id)).rejects.toMatchObject({ code: 'provider_auth' })
  }
  const { sealed, wrappedKey } = before
  await db().credential.update({
    where: { id },
    data: { scope: 'project', userId: null, projectId, version: 2, sealed, wrappedKey },
  })
  await expect(openNow(id)).rejects.toMatchObject({ code: 'provider_auth' })
})

test('an admin gives a key of their own to everyone; nobody else does', async () => {
  const own = await keepKey(admin, 'sk-test-admin-33cc')
  expect(await put(admin, own.id, { scope: 'global' })).toMatchObject({ scope: 'global', username: null })
  expect((await openNow(own.id)).apiKey).toBe('sk-test-admin-33cc')
  const other = await keepKey(ada, 'sk-test-ada-44dd')
  await expect(put(ada, other.id, { scope: 'global' })).rejects.toMatchObject({ code: 'forbidden' })
  expect((await rowOf(other.id)).scope).toBe('user')
})

test('nobody takes a shared key along without entering it: not an editor, nor an admin', async () => {
  const shared = await keepKey(ada, 'sk-test-project-55ee', { projectId })
  await expect(put(eve, shared.id, { scope: 'user' })).rejects.toEqual(needs('credentials'))
  const global = await keepKey(admin, 'sk-test-global-66ff', { scope: 'global' })
  await expect(put(admin, global.id, { scope: 'user' })).rejects.toEqual(needs('credentials'))
  expect(await put(eve, shared.id, { scope: 'user', ...keyAgain })).toMatchObject({
    scope: 'user',
    username: eve.email,
    last4: '22bb',
  })
  expect((await openNow(shared.id)).apiKey).toBe('sk-test-again-22bb')
})

test('a key goes only where one may keep keys, and only from where one may change them', async () => {
  const others = await createProject(admin, CreateProject.parse({ name: 'Not shared' }))
  const own = await keepKey(ada, 'sk-test-own-77aa')
  await expect(put(ada, own.id, { projectId: others.id })).rejects.toMatchObject({ code: 'not_found' })
  await expect(put(eve, own.id, { projectId })).rejects.toMatchObject({ code: 'not_found' })
  await expect(put(ada, own.id, { username: eve.email })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(put(ada, own.id, { scope: 'project' })).rejects.toEqual(needs('projectId'))
  expect(UpdateCredential.safeParse({ scope: 'global', projectId }).success).toBe(false)
  const viewer = { projectId_userId: { projectId, userId: eve.userId } }
  await db().projectMember.update({ where: viewer, data: { role: 'viewer' } })
  const ofEve = await keepKey(eve, 'sk-test-eve-88bb')
  await expect(put(eve, ofEve.id, { projectId })).rejects.toMatchObject({ code: 'forbidden' })
  await db().projectMember.update({ where: viewer, data: { role: 'editor' } })
})

test('another kind goes to another server, so it takes the key again; the same kind and address do not', async () => {
  const { id } = await keepKey(ada, 'sk-test-own-99cc')
  await expect(put(ada, id, { credentialType: 'anthropic' })).rejects.toEqual(needs('credentials'))
  await expect(put(ada, id, { baseUrl: 'http://127.0.0.1:10/v1' })).rejects.toEqual(needs('credentials'))
  await expect(put(ada, id, { credentialType: 'openai-compatible', ...keyAgain })).rejects.toEqual(
    needs('baseUrl'),
  )
  const { createdAt, updatedAt, lastUsedAt, id: _, ...whole } = await put(ada, id, { label: 'Work' })
  // A record that was read goes back as it is: all but what the server alone says of it.
  const { last4, ...writable } = whole
  expect(await put(ada, id, { ...writable, label: null })).toMatchObject({ ...whole, label: null })
  expect((await rowOf(id)).version).toBe(1)
  expect(await put(ada, id, { credentialType: 'anthropic', ...keyAgain })).toMatchObject({
    credentialType: 'anthropic',
    baseUrl: 'https://api.anthropic.com',
  })
  expect((await openNow(id)).baseUrl).toBe('https://api.anthropic.com')
})

test('which fields were changed is written down, and nothing of what was in them but the place', async () => {
  const { id } = await keepKey(ada, 'sk-test-own-12ab')
  await put(ada, id, { projectId, label: 'Ours', ...keyAgain })
  const event = await db().auditEvent.findFirst({ where: { target: id, action: 'credential.update' } })
  expect(event?.detail).toMatchObject({
    scope: 'project',
    projectId,
    changed: expect.arrayContaining(['credentials', 'label', 'projectId']),
  })
  expect(JSON.stringify(event)).not.toContain('sk-test')
})

test('of two who move one key at once one succeeds, and it opens for whom it is', async () => {
  const second = await createProject(ada, CreateProject.parse({ name: 'Second' }))
  for (let round = 0; round < 10; round += 1) {
    const { id } = await keepKey(ada, 'sk-test-raced-34cd')
    const moves = await Promise.allSettled([
      put(ada, id, { projectId }),
      put(ada, id, { projectId: second.id }),
    ])
    const done = moves.flatMap((move) => (move.status === 'fulfilled' ? [move.value] : []))
    expect(done).toHaveLength(1)
    expect(await rowOf(id)).toMatchObject({ projectId: done[0]?.projectId })
    expect((await openNow(id)).apiKey).toBe('sk-test-raced-34cd')
  }
})
