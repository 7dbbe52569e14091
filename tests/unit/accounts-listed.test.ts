import { afterAll, beforeAll, expect, test } from 'vitest'
import { listOtherAccounts } from '@/lib/auth'
import { db } from '@/lib/db'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>
beforeAll(async () => {
  close = await openLibrary()
})
afterAll(() => close())

test('an admin can choose among the other accounts that are not disabled; nobody else sees any', async () => {
  const admin = await makeActor('admin', 'admin')
  const [zoe, ada, gone] = await Promise.all(['zoe', 'ada', 'gone'].map((name) => makeActor(name)))
  await db().user.update({ where: { id: gone?.userId }, data: { disabledAt: new Date() } })
  expect(await listOtherAccounts(admin)).toEqual([
    { id: ada?.userId, name: 'ada', email: ada?.email },
    { id: zoe?.userId, name: 'zoe', email: zoe?.email },
  ])
  for (const member of [zoe, ada]) if (member) expect(await listOtherAccounts(member)).toEqual([])
})
