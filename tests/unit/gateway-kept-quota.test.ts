import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { sql } from '@/lib/db'
import type { Call } from '../../lib/gateway/call'
import { noteKept, trimKept } from '../../lib/gateway/kept-quota'
import { insertKeptRow } from '../../lib/gateway/kept-rows'
import type { Target } from '../../lib/gateway/targets'
import { makeActor, openLibrary } from '../support/library'
import { until } from '../support/until'

let close: () => Promise<void>
let ada: Actor
let bob: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
  bob = await makeActor('bob')
})
beforeEach(() => sql`DELETE FROM gateway_responses`)
afterAll(() => close())

const target = {
  key: { provider: 'openai-compatible', source: 'user', credentialId: null, baseUrl: 'http://127.0.0.1:1' },
  model: 'llama',
} as unknown as Target

/** A response of some 10,000 bytes that Postgres cannot make shorter. */
async function keep(actor: Actor, id: string, status = 'completed'): Promise<void> {
  const call = { actor, question: { want: {} } } as unknown as Call
  const response = { id, status, text: randomBytes(7500).toString('base64') }
  await insertKeptRow(call, target, { response, input: [], previousId: null })
}

async function idsOf(actor: Actor): Promise<string[]> {
  const rows = await sql<{ id: string }>`
    SELECT id FROM gateway_responses WHERE user_id = ${actor.userId}::uuid ORDER BY created_at`
  return rows.map(({ id }) => id)
}

test('the oldest go where a user has more than is kept, and nobody else’s', async () => {
  await keep(bob, 'resp_b1')
  for (const n of [1, 2, 3, 4, 5]) await keep(ada, `resp_a${n}`)
  await trimKept(ada.userId, 100_000)
  expect(await idsOf(ada)).toHaveLength(5)
  await trimKept(ada.userId, 35_000)
  expect(await idsOf(ada)).toEqual(['resp_a3', 'resp_a4', 'resp_a5'])
  expect(await idsOf(bob)).toEqual(['resp_b1'])
})

test('what is being made stays, however old it is', async () => {
  await keep(ada, 'resp_run', 'in_progress')
  await keep(ada, 'resp_old')
  await keep(ada, 'resp_new')
  await trimKept(ada.userId, 15_000)
  expect(await idsOf(ada)).toEqual(['resp_run', 'resp_new'])
})

test('it is looked after whenever much came to it', async () => {
  for (const n of [1, 2, 3]) await keep(ada, `resp_a${n}`)
  noteKept(ada.userId, 10, 15_000)
  await until(async () => expect(await idsOf(ada)).toEqual(['resp_a3']))
})
