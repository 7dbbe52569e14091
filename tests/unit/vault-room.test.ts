import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { createProject } from '@/lib/projects'
import { updateCredential } from '@/lib/vault'
import { makeActor, openLibrary, origin } from '../support/library'
import { keepKey, keepMany } from '../support/vault'

let close: () => Promise<void>
let ada: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
})
afterAll(() => close())

const countCodes = async (calls: Promise<unknown>[]) => {
  const outcomes = await Promise.allSettled(calls)
  const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done'))
  return {
    done: codes.filter((code) => code === 'done').length,
    rest: new Set(codes).difference(new Set(['done'])),
  }
}

test('nobody keeps more than a hundred keys, however many are kept at once', async () => {
  await keepMany(ada, 95)
  const calls = Array.from({ length: 20 }, (_, n) => keepKey(ada, `sk-test-crowd-${n}`))
  expect(await countCodes(calls)).toEqual({ done: 5, rest: new Set(['conflict']) })
  expect(await db().credential.count({ where: { userId: ada.userId } })).toBe(100)
})

test('nor does a project, though they are moved there', async () => {
  const { id: projectId } = await createProject(ada, CreateProject.parse({ name: 'Engines' }))
  const own = await db().credential.findMany({ where: { userId: ada.userId }, select: { id: true } })
  const newcomers = own.slice(0, 12)
  await db().credential.deleteMany({ where: { id: { in: own.slice(12).map(({ id }) => id) } } })
  for (let n = 0; n < 96; n += 1) await keepKey(ada, `sk-test-project-${n}`, { projectId })
  const moves = newcomers.map(({ id }) => updateCredential(ada, id, { projectId }, origin))
  expect(await countCodes(moves)).toEqual({ done: 4, rest: new Set(['conflict']) })
  expect(await db().credential.count({ where: { projectId } })).toBe(100)
})
