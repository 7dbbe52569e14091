import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Actor, createKey, onAccessChange } from '@/lib/auth'
import { CreateKey } from '@/lib/contracts/keys'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { addMember, createProject, deleteProject, removeMember } from '@/lib/projects'
import { makeActor, openLibrary, origin } from '../support/library'
import { keepKey } from '../support/vault'

let close: () => Promise<void>
let ada: Actor
let eve: Actor
let projectId: string

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
  eve = await makeActor('eve')
  projectId = (await createProject(ada, CreateProject.parse({ name: 'Engines' }))).id
})
afterAll(() => close())

const makeBoundKey = (by: Actor) =>
  createKey(by, CreateKey.parse({ name: 'Robot', scopes: ['chat'], project_id: projectId }), origin)

test('every key that goes with a project is counted before and written down as it goes, and nothing of it', async () => {
  const kept = await keepKey(ada, 'sk-test-canary-55dd', { projectId, label: 'Ours' })
  const own = await keepKey(ada, 'sk-test-canary-66ee')
  const mine = await makeBoundKey(ada)
  await addMember(ada, projectId, { user_id: eve.userId, role: 'viewer' }, origin)
  const hers = await makeBoundKey(eve)
  await removeMember(ada, { projectId, userId: eve.userId }, origin)

  const ask = (confirm?: string) => deleteProject(ada, projectId, { confirm }, origin)
  await expect(ask()).rejects.toMatchObject({ facts: { members: 1, credentials: 1, programKeys: 2 } })
  let told = 0
  const stopListening = onAccessChange(eve, () => {
    told += 1
  })
  await ask('Engines')
  stopListening()
  expect(told).toBe(1)

  const events = await db().auditEvent.findMany({
    where: { action: { in: ['credential.delete', 'key.revoke', 'project.delete'] } },
    orderBy: { id: 'asc' },
  })
  const by = { actorId: ada.userId, ip: origin.ip, requestId: origin.requestId }
  const ofKey = { name: 'Robot', scopes: ['chat'], projectId }
  expect(events).toHaveLength(4)
  expect(events).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        ...by,
        action: 'credential.delete',
        target: kept.id,
        detail: expect.objectContaining({ scope: 'project', label: 'Ours', last4: '55dd', projectId }),
      }),
      ...[mine, hers].map(({ id, last4 }) =>
        expect.objectContaining({
          ...by,
          action: 'key.revoke',
          target: id,
          detail: expect.objectContaining({ ...ofKey, last4 }),
        }),
      ),
      expect.objectContaining({
        ...by,
        action: 'project.delete',
        target: projectId,
        detail: expect.objectContaining({ credentials: 1, programKeys: 2 }),
      }),
    ]),
  )
  expect(JSON.stringify(events)).not.toMatch(/canary|alc_/)
  expect(await db().credential.findMany({ select: { id: true } })).toEqual([{ id: own.id }])
  expect(await db().apiKey.count()).toBe(0)
})
