import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Actor, changePassword, endSession, login, register } from '@/lib/auth'
import { Register } from '@/lib/contracts/accounts'
import { CreateAgent, CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { createAgent, createProject, deleteAgent } from '@/lib/projects'
import { recordFailedSignIn } from '../../lib/auth/failures'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary({ RATE_LIMITS: 'off' })
})
afterAll(() => close())

const password = 'correct horse battery'
const from = (ip: string) => ({ ...origin, ip })
const written = (where: { ip?: string; target?: string }) =>
  db().auditEvent.findMany({ where, orderBy: [{ at: 'asc' }, { id: 'asc' }] })

test('an account is made, signed in, given a new password and signed out, each with one record', async () => {
  const here = from('192.0.2.10')
  const email = 'grace@example.com'
  const { user } = await register(Register.parse({ email, password }), here)
  await login({ email, password }, here)
  const [session, another] = await db().session.findMany({ where: { userId: user.id } })
  const actor: Actor = { ...(await makeActor('grace')), userId: user.id, email, sessionId: session?.id ?? '' }
  await changePassword(actor, { current: password, next: 'another long secret' }, here)
  await endSession(actor, actor.sessionId, here)
  const records = await written({ ip: here.ip })
  expect(records.map(({ action, actorId }) => [action, actorId])).toEqual(
    ['account.register', 'account.signin', 'account.signin', 'account.password', 'session.end'].map(
      (action) => [action, user.id],
    ),
  )
  expect(records.at(3)?.detail).toEqual({ endedSessions: 1 })
  expect(records.at(4)).toMatchObject({ target: session?.id, detail: { isCurrent: true } })
  expect(another).toBeDefined()
  expect(JSON.stringify(records)).not.toMatch(/correct horse|another long/)
})

test('a sign-in that fails names the account that was tried, never what was typed', async () => {
  const here = from('192.0.2.11')
  const email = 'hopper@example.com'
  const { user } = await register(Register.parse({ email, password }), from('192.0.2.12'))
  await expect(login({ email, password: 'a wrong secret' }, here)).rejects.toThrow()
  await expect(login({ email: 'typed-secret-here@example.com', password }, here)).rejects.toThrow()
  const records = await written({ ip: here.ip })
  expect(records.map(({ action, actorId, target }) => [action, actorId, target])).toEqual([
    ['account.signin_failed', null, user.id],
    ['account.signin_failed', null, null],
  ])
  expect(JSON.stringify(records)).not.toMatch(/typed-secret|wrong secret/)
})

test('guessing from one address fills no table', async () => {
  const here = from('192.0.2.13')
  for (let round = 0; round < 60; round += 1) await recordFailedSignIn(null, here)
  expect(await written({ ip: here.ip })).toHaveLength(50)
})

test('a session that ended already leaves no second record', async () => {
  const ada = await makeActor('ada')
  await expect(endSession(ada, ada.sessionId, origin)).rejects.toMatchObject({ code: 'not_found' })
  expect(await written({ target: ada.sessionId })).toEqual([])
})

test('an agent that was deleted is remembered by its name', async () => {
  const ada = await makeActor('ada')
  const project = await createProject(ada, CreateProject.parse({ name: 'Engines' }))
  const agent = await createAgent(ada, project.id, CreateAgent.parse({ name: 'Analyst' }))
  await deleteAgent(ada, agent.id, origin)
  expect(await written({ target: agent.id })).toMatchObject([
    { action: 'agent.delete', actorId: ada.userId, detail: { name: 'Analyst', projectId: project.id } },
  ])
})
