import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateCredential } from '@/lib/contracts/credentials'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { testCredential } from '@/lib/health'
import { addMember, createProject, deleteProject, removeMember, updateMember } from '@/lib/projects'
import { createCredential, deleteCredential, listCredentials, updateCredential } from '@/lib/vault'
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

const input = CreateCredential.parse({
  credentialType: 'openai-compatible',
  baseUrl: 'http://127.0.0.1:9/v1',
  credentials: { api_key: 'sk-test-canary-9e77' },
})

const events = (target: string) =>
  db().auditEvent.findMany({ where: { target }, orderBy: [{ at: 'asc' }, { id: 'asc' }] })

test('making, changing, testing and deleting a key is written down: by whom, from where, and nothing of the key', async () => {
  const { id } = await createCredential(ada, input, origin)
  await updateCredential(ada, id, { credentials: { api_key: 'sk-test-canary-00aa' } }, origin)
  await testCredential(ada, id, origin)
  await deleteCredential(ada, id, origin)
  const written = await events(id)
  expect(written.map(({ action }) => action)).toEqual([
    'credential.create',
    'credential.update',
    'credential.test',
    'credential.delete',
  ])
  for (const event of written) {
    expect(event).toMatchObject({ actorId: ada.userId, ip: origin.ip, requestId: origin.requestId })
  }
  expect(written[0]?.detail).toMatchObject({ scope: 'user', last4: '9e77', baseUrl: 'http://127.0.0.1:9/v1' })
  expect(written[1]?.detail).toMatchObject({ last4: '00aa', version: 2 })
  expect(JSON.stringify(written)).not.toContain('sk-test-canary')
})

test('what is refused leaves no trace of having happened', async () => {
  const { id } = await createCredential(ada, input, origin)
  await expect(deleteCredential(eve, id, origin)).rejects.toMatchObject({ code: 'not_found' })
  expect((await events(id)).map(({ action }) => action)).toEqual(['credential.create'])
})

test('who shares a project with whom is written down, and that it was deleted', async () => {
  const { id } = await createProject(ada, CreateProject.parse({ name: 'Engines' }))
  const member = { projectId: id, userId: eve.userId }
  await addMember(ada, id, { user_id: eve.userId, role: 'viewer' }, origin)
  await updateMember(ada, member, { role: 'editor' }, origin)
  await removeMember(ada, member, origin)
  await deleteProject(ada, id, { confirm: 'Engines' }, origin)
  const written = await events(id)
  expect(written.map(({ action }) => action)).toEqual([
    'member.add',
    'member.update',
    'member.remove',
    'project.delete',
  ])
  expect(written[0]?.detail).toMatchObject({ userId: eve.userId, role: 'viewer' })
})

test('what cannot be written down does not happen', async () => {
  const { id } = await createCredential(ada, input, origin)
  const before = await listCredentials(ada)
  await db().$executeRawUnsafe('ALTER TABLE audit_events RENAME TO audit_events_gone')
  try {
    await expect(createCredential(ada, input, origin)).rejects.toMatchObject({ name: 'AppError' })
    await expect(updateCredential(ada, id, { label: 'other' }, origin)).rejects.toMatchObject({
      name: 'AppError',
    })
    await expect(deleteCredential(ada, id, origin)).rejects.toMatchObject({ name: 'AppError' })
    await expect(testCredential(ada, id, origin)).rejects.toMatchObject({ name: 'AppError' })
  } finally {
    await db().$executeRawUnsafe('ALTER TABLE audit_events_gone RENAME TO audit_events')
  }
  expect(await listCredentials(ada)).toEqual(before)
})
