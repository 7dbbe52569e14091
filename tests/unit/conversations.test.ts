import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Actor } from '../../lib/auth'
import { createConversation, listConversations } from '../../lib/chat'
import { CreateAgent } from '../../lib/contracts/projects'
import { sql } from '../../lib/db'
import { createAgent, createProject } from '../../lib/projects'
import { makeActor, openLibrary } from '../support/library'

let close: () => Promise<void>
let actor: Actor
beforeAll(async () => {
  close = await openLibrary()
  actor = await makeActor('reader')
})
afterAll(() => close())

test('conversations of one moment are all listed, page by page, each once', async () => {
  const project = await createProject(actor, { name: 'Project', description: '' })
  const agent = await createAgent(actor, project.id, CreateAgent.parse({ name: 'Agent' }))
  const made = await Promise.all(Array.from({ length: 7 }, () => createConversation(actor, agent.id, {})))
  for (const [index, { id }] of made.entries()) {
    // Moments that differ by less than a cursor can tell.
    await sql`
      UPDATE conversations SET last_activity_at = '2026-01-02 03:04:05.678'::timestamptz + ${index}::int * interval '50 microseconds'
      WHERE id = ${id}::uuid`
  }
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listConversations(actor, { limit: 2, cursor })
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.next_cursor ?? undefined
  } while (cursor)
  expect(seen.toSorted()).toEqual(made.map(({ id }) => id).toSorted())
})
