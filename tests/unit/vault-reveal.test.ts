import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { FindCredentials } from '@/lib/contracts/credentials'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { createProject } from '@/lib/projects'
import { revealCredential, revealGlobalCredential, rotateVault } from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'
import { baseUrl, keepKey } from '../support/vault'

let close: () => Promise<void>
let admin: Actor
let service: Actor
let ada: Actor
let eve: Actor
let projectId: string

beforeAll(async () => {
  close = await openLibrary()
  admin = await makeActor('admin', 'admin')
  service = withKey(admin)
  ada = await makeActor('ada')
  eve = await makeActor('eve')
  projectId = (await createProject(ada, CreateProject.parse({ name: 'Engines' }))).id
})
afterAll(() => close())
beforeEach(async () => {
  await db().credential.deleteMany()
})

/** The same person, come with an API key. */
function withKey(person: Actor, boundTo: string | null = null): Actor {
  return { ...person, sessionId: '', keyId: newId(), scopes: ['credentials:read'], boundTo }
}

const reveal = (query: object, by = service) => revealCredential(by, FindCredentials.parse(query), origin)
const revealedKey = async (query: object, by = service) =>
  (await reveal(query, by)).credentials.credentials.api_key
const reveals = () => db().auditEvent.count({ where: { action: 'credential.reveal' } })
const notThere = expect.objectContaining({ code: 'not_found', message: 'There is no such key in the vault.' })

test('a user’s newest key of the kind is told, whatever the case of the name, in the shape that Papita’s clients read', async () => {
  const ordinary = { baseUrl: 'https://api.openai.com/v1' }
  await keepKey(ada, 'sk-test-older', ordinary)
  const { id } = await keepKey(ada, 'sk-test-newer', ordinary)
  await keepKey(ada, 'sk-test-other-kind', { credentialType: 'anthropic' })
  await keepKey(eve, 'sk-test-of-eve')
  expect(await reveal({ username: ada.email.toUpperCase(), credentialType: 'openai' })).toEqual({
    success: true,
    credentials: {
      id,
      credentialType: 'openai',
      projectId: null,
      scope: 'user',
      credentials: { api_key: 'sk-test-newer' },
    },
  })
})

test('with a key for another address than its provider’s own comes that address, so that it is sent nowhere else', async () => {
  const addressOf = async (more: object) => {
    await keepKey(admin, 'sk-test-1', { scope: 'global', ...more })
    const type = 'credentialType' in more ? String(more.credentialType) : 'openai'
    return (await revealGlobalCredential(service, type, origin)).credentials.baseUrl
  }
  expect(await addressOf({ baseUrl })).toBe(baseUrl)
  expect(await addressOf({ baseUrl: 'http://api.openai.com/v1' })).toBe('http://api.openai.com/v1')
  expect(await addressOf({ baseUrl: 'https://api.openai.com:8443/v1' })).toBe(
    'https://api.openai.com:8443/v1',
  )
  expect(await addressOf({ baseUrl: 'https://api.openai.com/v1' })).toBeUndefined()
  expect(await addressOf({ credentialType: 'openai-compatible' })).toBe(baseUrl)
  expect(await addressOf({ credentialType: 'anthropic', baseUrl: undefined })).toBeUndefined()
})

test('a project’s key is told by the project, and to a name only if it is a member’s', async () => {
  const { id } = await keepKey(ada, 'sk-test-project', { projectId })
  await keepKey(ada, 'sk-test-own')
  const told = { id, credentialType: 'openai', projectId, scope: 'project' }
  const query = { credentialType: 'openai', projectId }
  expect((await reveal(query)).credentials).toMatchObject(told)
  expect((await reveal({ ...query, username: ada.email })).credentials).toMatchObject(told)
  await expect(reveal({ ...query, username: eve.email })).rejects.toEqual(notThere)
})

test('what is not there is one answer, and everyone’s key is not told in its place', async () => {
  await keepKey(admin, 'sk-test-global', { scope: 'global' })
  await keepKey(ada, 'sk-test-project', { projectId })
  const before = await reveals()
  for (const query of [
    { username: ada.email },
    { username: 'nobody@example.com' },
    { username: '%' },
    { projectId: newId() },
    { username: ada.email, projectId: newId() },
    { username: 'nobody@example.com', projectId },
  ]) {
    await expect(reveal({ credentialType: 'openai', ...query })).rejects.toEqual(notThere)
  }
  await expect(revealGlobalCredential(service, 'anthropic', origin)).rejects.toEqual(notThere)
  expect(await reveals()).toBe(before)
})

test('a key whose time is over, and the keys of a disabled account, are not there', async () => {
  const { id } = await keepKey(ada, 'sk-test-older')
  const newer = await keepKey(ada, 'sk-test-newer')
  const query = { username: ada.email, credentialType: 'openai' }
  await db().credential.update({ where: { id: newer.id }, data: { expiresAt: new Date(Date.now() - 1) } })
  expect(await revealedKey(query)).toBe('sk-test-older')
  await db().credential.update({ where: { id }, data: { expiresAt: new Date(Date.now() + 60_000) } })
  expect(await revealedKey(query)).toBe('sk-test-older')
  await db().user.update({ where: { id: ada.userId }, data: { disabledAt: new Date() } })
  try {
    await expect(reveal(query)).rejects.toEqual(notThere)
  } finally {
    await db().user.update({ where: { id: ada.userId }, data: { disabledAt: null } })
  }
})

test('everyone’s key is told by its kind; a kind that there is not is said to be none', async () => {
  const everyones = { scope: 'global', baseUrl: 'https://api.openai.com/v1' }
  const { id } = await keepKey(admin, 'sk-test-global', everyones)
  await keepKey(admin, 'sk-test-admin')
  expect(await revealGlobalCredential(service, 'openai', origin)).toEqual({
    success: true,
    credentials: {
      id,
      credentialType: 'openai',
      projectId: null,
      scope: 'global',
      credentials: { api_key: 'sk-test-global' },
    },
  })
  await expect(revealGlobalCredential(service, 'aws', origin)).rejects.toMatchObject({
    code: 'invalid_input',
    issues: [{ path: 'type' }],
  })
})

test.each([
  ['no kind', {}, 'credentialType'],
  ['nobody and no project', { credentialType: 'openai' }, 'username'],
  ['nothing after the name', { credentialType: 'openai', username: '', projectId: '' }, 'username'],
])('a question with %s is not answered', async (_, query, path) => {
  await keepKey(admin, 'sk-test-admin')
  await expect(reveal(query)).rejects.toMatchObject({ code: 'invalid_input', issues: [{ path }] })
})

test('a key bound to a project tells that project’s alone', async () => {
  const other = await createProject(ada, CreateProject.parse({ name: 'Other' }))
  await keepKey(ada, 'sk-test-project', { projectId })
  await keepKey(ada, 'sk-test-other', { projectId: other.id })
  await keepKey(ada, 'sk-test-own')
  await keepKey(admin, 'sk-test-global', { scope: 'global' })
  const bound = withKey(admin, projectId)
  const credentialType = 'openai'
  expect(await revealedKey({ credentialType, projectId }, bound)).toBe('sk-test-project')
  await expect(reveal({ credentialType, projectId: other.id }, bound)).rejects.toEqual(notThere)
  await expect(reveal({ credentialType, username: ada.email }, bound)).rejects.toEqual(notThere)
  await expect(revealGlobalCredential(bound, 'openai', origin)).rejects.toEqual(notThere)
})

test('nobody else is told: a session, a member’s key, a key for other things', async () => {
  await keepKey(ada, 'sk-test-own')
  await keepKey(admin, 'sk-test-global', { scope: 'global' })
  const others = [admin, ada, withKey(ada), { ...service, scopes: ['portal:read', 'gateway'] as const }]
  for (const by of others) {
    const refused = expect.objectContaining({ code: 'forbidden' })
    await expect(reveal({ username: ada.email, credentialType: 'openai' }, by)).rejects.toEqual(refused)
    await expect(revealGlobalCredential(by, 'openai', origin)).rejects.toEqual(refused)
  }
})

test('a key that may read keys cannot have everything sealed anew', async () => {
  await expect(rotateVault(service, origin)).rejects.toMatchObject({ code: 'forbidden' })
})

test('who was told which key, with which API key, for whom and from where, is written down, and nothing of the key', async () => {
  const { id } = await keepKey(ada, 'sk-test-canary-77ee')
  await reveal({ username: ada.email, credentialType: 'openai' })
  const events = await db().auditEvent.findMany({ where: { target: id, action: 'credential.reveal' } })
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({
    actorId: admin.userId,
    keyId: service.keyId,
    ip: origin.ip,
    requestId: origin.requestId,
    detail: { scope: 'user', type: 'openai', last4: '77ee', username: ada.email },
  })
  expect(JSON.stringify(events)).not.toContain('canary')
})

test('what cannot be written down is not told: no table, no room in it, no commit', async () => {
  await keepKey(ada, 'sk-test-canary-88ff')
  const query = { username: ada.email, credentialType: 'openai' }
  const fail = `RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$`
  const ways: [string, string][] = [
    [
      'ALTER TABLE audit_events RENAME TO audit_events_gone',
      'ALTER TABLE audit_events_gone RENAME TO audit_events',
    ],
    [
      'CREATE TRIGGER refuse BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse()',
      'DROP TRIGGER refuse ON audit_events',
    ],
    [
      'CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON audit_events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()',
      'DROP TRIGGER refuse ON audit_events',
    ],
  ]
  await db().$executeRawUnsafe(`CREATE FUNCTION refuse() ${fail}`)
  for (const [begin, end] of ways) {
    const before = await reveals()
    await db().$executeRawUnsafe(begin)
    const error = await reveal(query).catch((thrown: unknown) => thrown)
    await db().$executeRawUnsafe(end)
    expect(error).toMatchObject({ name: 'AppError' })
    expect(String((error as Error).stack)).not.toContain('canary')
    expect(await reveals()).toBe(before)
  }
  expect(await revealedKey(query)).toBe('sk-test-canary-88ff')
})

test('a record that does not open is not told, and is not written down as told', async () => {
  const { id } = await keepKey(ada, 'sk-test-canary-99aa')
  const query = { username: ada.email, credentialType: 'openai' }
  const before = await reveals()
  await db().credential.update({ where: { id }, data: { wrappedKey: Buffer.alloc(61, 1) } })
  await expect(reveal(query)).rejects.toMatchObject({ code: 'provider_auth' })
  await expect(reveal(query)).rejects.not.toThrow(/canary/)
  expect(await reveals()).toBe(before)
})
