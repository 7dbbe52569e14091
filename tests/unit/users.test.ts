import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Actor, findInvitation, inviteUser, listInvitations, updateUser } from '@/lib/auth'
import { db } from '@/lib/db'
import { asAppError } from '@/lib/errors'
import { makeActor, openLibrary, origin } from '../support/library'

let close: () => Promise<void>

beforeAll(async () => {
  close = await openLibrary({ RATE_LIMITS: 'off' })
})
afterAll(() => close())
beforeEach(async () => void (await db().user.updateMany({ data: { role: 'member' } })))

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error) => asAppError(error).code,
  )
const countAdmins = () => db().user.count({ where: { role: 'admin', disabledAt: null } })
const demote = (actor: Actor, other: Actor) =>
  codeOf(updateUser(actor, other.userId, { role: 'member' }, origin))
const disable = (actor: Actor, other: Actor) =>
  codeOf(updateUser(actor, other.userId, { disabled: true }, origin))

test('of two admins who take each other’s rights at once, one stays', async () => {
  for (let round = 0; round < 20; round++) {
    const [ada, bob] = [await makeActor('ada', 'admin'), await makeActor('bob', 'admin')]
    const deeds =
      round % 2 === 0 ? [demote(ada, bob), disable(bob, ada)] : [disable(ada, bob), disable(bob, ada)]
    expect((await Promise.all(deeds)).sort()).toEqual(['done', 'forbidden'])
    expect(await countAdmins()).toBe(1)
    await db().user.updateMany({ data: { role: 'member' } })
  }
})

test('of many admins who all give up their role at once, one stays', async () => {
  const admins = await Promise.all(Array.from({ length: 8 }, (_, n) => makeActor(`admin${n}`, 'admin')))
  const answers = await Promise.all(admins.map((admin) => demote(admin, admin)))
  expect(answers.sort()).toEqual(['conflict', ...Array(7).fill('done')])
  expect(await countAdmins()).toBe(1)
})

test('a disabled admin is no admin who could be the last', async () => {
  const [ada, bob] = [await makeActor('ada', 'admin'), await makeActor('bob', 'admin')]
  expect(await disable(ada, bob)).toBe('done')
  expect(await demote(ada, ada)).toBe('conflict')
  expect(await demote(ada, bob)).toBe('done')
})

test('what changes nothing is not written down', async () => {
  const [ada, bob] = [await makeActor('ada', 'admin'), await makeActor('bob')]
  expect(await demote(ada, bob)).toBe('done')
  expect(await db().auditEvent.count({ where: { target: bob.userId } })).toBe(0)
})

test('an invitation is kept as a hash, and is over after seven days', async () => {
  const ada = await makeActor('ada', 'admin')
  const wish = { email: 'new@example.com', role: 'member' as const }
  const { id, url } = await inviteUser(ada, wish, 'https://here.example', origin)
  const token = new URL(url).searchParams.get('invitation') ?? ''
  expect(url).toBe(`https://here.example/register?invitation=${token}`)
  expect(await findInvitation(token)).toEqual({ email: 'new@example.com' })
  const [stored] = await db().$queryRaw<{ text: string }[]>`SELECT i::text AS text FROM invitations i`
  expect(stored?.text).not.toContain(token)
  expect(stored?.text).not.toContain(Buffer.from(token, 'base64url').toString('hex'))
  const row = await db().invitation.findUniqueOrThrow({ where: { id } })
  expect(row.expiresAt.getTime() - row.createdAt.getTime()).toBe(7 * 86_400_000)
  await db().invitation.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1) } })
  expect(await findInvitation(token)).toBeNull()
  expect((await listInvitations({ limit: 10 })).items).toEqual([])
})
