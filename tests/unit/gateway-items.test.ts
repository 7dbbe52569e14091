import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { sql } from '@/lib/db'
import type { Call } from '@/lib/gateway/call'
import { findOwnItems, insertItemRows, insertUpstreamRow } from '@/lib/gateway/response-rows'
import type { LentKey } from '@/lib/vault'
import { makeActor, openLibrary } from '../support/library'

/* Whose the items of responses are: their maker's, and only at the place where they were made. */

let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  close = await openLibrary()
  ada = await makeActor('ada')
  eve = await makeActor('eve')
})
beforeEach(() => sql`DELETE FROM gateway_responses`)
afterAll(() => close())

const keyOf = (more: Partial<LentKey> = {}) =>
  ({
    provider: 'openai',
    source: 'environment',
    credentialId: null,
    baseUrl: 'https://shared.example/v1',
    ...more,
  }) as LentKey
const ofOwnServer = () => keyOf({ source: 'user', credentialId: newId(), baseUrl: 'https://eve.example/v1' })

/** A server says that a response of this name, made with this key, has these items. */
async function answer(actor: Actor, key: LentKey, id: string, itemIds: string[]): Promise<void> {
  const call = { actor, question: { want: {}, body: {} } } as unknown as Call
  await insertUpstreamRow(call, { key, model: 'm' }, { id, bill: null, count: null })
  await insertItemRows(id, itemIds, key)
}

const own = async (actor: Actor, key: LentKey, ...ids: string[]) => [...(await findOwnItems(actor, key, ids))]

test('items are their maker’s, with the key that they were made with', async () => {
  const global = keyOf({ source: 'global', credentialId: newId() })
  await answer(ada, global, 'resp_1', ['rs_1', 'cntr_1'])
  await answer(ada, keyOf(), 'resp_2', ['rs_2'])
  const all = ['rs_1', 'cntr_1', 'rs_2']
  expect((await own(ada, global, ...all)).sort()).toEqual(['cntr_1', 'rs_1'])
  expect(await own(ada, keyOf(), ...all)).toEqual(['rs_2'])
  for (const other of [
    { credentialId: newId() },
    { source: 'project' as const },
    { baseUrl: 'https://other.example/v1' },
    { provider: 'openai-compatible' as const },
  ])
    expect(await own(ada, { ...global, ...other }, ...all)).toEqual([])
  expect(await own(eve, global, ...all)).toEqual([])
  expect(await own({ ...ada, boundTo: newId() }, global, ...all)).toEqual([])
})

test('what somebody’s own server claims opens nothing elsewhere', async () => {
  const forged = ofOwnServer()
  await answer(eve, forged, 'resp_forged', ['cntr_of_ada'])
  expect(await own(eve, keyOf(), 'cntr_of_ada')).toEqual([])
  expect(await own(eve, forged, 'cntr_of_ada')).toEqual(['cntr_of_ada'])
})

test('nor does it where it calls its answer as one that was made at the place of others', async () => {
  await answer(eve, keyOf(), 'resp_of_eve', [])
  await answer(eve, ofOwnServer(), 'resp_of_eve', ['cntr_of_ada'])
  expect(await own(eve, keyOf(), 'cntr_of_ada')).toEqual([])
})

test('and it keeps nothing from whoever it belongs to', async () => {
  await answer(eve, ofOwnServer(), 'resp_forged', ['cntr_of_ada'])
  await answer(ada, ofOwnServer(), 'resp_other', ['cntr_of_ada'])
  await answer(ada, keyOf(), 'resp_of_ada', ['cntr_of_ada'])
  await answer(ada, keyOf(), 'resp_of_ada_2', ['cntr_of_ada'])
  expect(await own(ada, keyOf(), 'cntr_of_ada')).toEqual(['cntr_of_ada'])
})

test('what was written down by its own name alone is still known', async () => {
  await answer(ada, keyOf(), 'resp_1', ['rs_1'])
  await sql`UPDATE gateway_responses SET id = 'rs_1' WHERE status = 'item'`
  expect(await own(ada, keyOf(), 'rs_1')).toEqual(['rs_1'])
  expect(await own(eve, keyOf(), 'rs_1')).toEqual([])
})
