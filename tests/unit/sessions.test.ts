import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Actor, toUserRecord } from '@/lib/auth'
import { db } from '@/lib/db'
import { createSession } from '../../lib/auth/sessions'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary()
})
afterAll(() => close())

/** A session that ends so many seconds from now. */
async function keepSession({ userId }: Actor, seconds: number): Promise<string> {
  const expiresAt = new Date(Date.now() + seconds * 1000)
  const { id } = await db().session.create({ data: { id: newId(), userId, expiresAt, ip: origin.ip } })
  return id
}

test('signing in sweeps out what has expired of one’s own sessions, and nothing else', async () => {
  const [ada, eve] = [await makeActor('ada'), await makeActor('eve')]
  const [expired, live, another] = [
    await keepSession(ada, -1),
    await keepSession(ada, 60),
    await keepSession(eve, -1),
  ]
  await createSession(toUserRecord({ ...ada, id: ada.userId }), 'none', origin)
  const left = (await db().session.findMany()).map(({ id }) => id)
  expect(left).toHaveLength(3)
  expect(left).toEqual(expect.arrayContaining([live, another]))
  expect(left).not.toContain(expired)
})
