import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import { Id } from '../contracts/primitives'
import { db, sql } from '../db'
import { missing, untitled, visibleTo } from './conversations'
import { announceConversation } from './feed'

/**
 * A conversation, and the message that is said last in the branch that is shown. `isOurs`: it is new and has no name, so
 * that nobody else can know of it yet.
 */
export type Talk = { conversationId: string; lastMessageId: string | null; isOurs: boolean }

const place = { id: true, currentMessageId: true } as const

function toTalk(row: { id: string; currentMessageId: string | null }): Talk {
  return { conversationId: row.id, lastMessageId: row.currentMessageId, isOurs: false }
}

/** The actor's conversation with an agent. Throws not_found. */
export async function getTalk(actor: Actor, agentId: string, conversationId: string): Promise<Talk> {
  const where = { id: conversationId, agentId, ...visibleTo(actor) }
  const row = await db().conversation.findFirst({ where, select: place })
  if (!row) throw missing()
  return toTalk(row)
}

/**
 * The actor's conversation with an agent in what a client calls a session: the one of this name, or of this id, else a
 * new one, once under any race. The agent must be one that the actor reaches.
 */
export async function openTalk(actor: Actor, agentId: string, sessionName: string | null): Promise<Talk> {
  const known = sessionName === null ? null : await findTalk(actor, agentId, sessionName)
  if (known) return known
  const { userId } = actor
  const data = { id: newId(), agentId, userId, title: untitled, sessionName }
  const { count } = await db().conversation.createMany({ data, skipDuplicates: true })
  if (count === 1) announceConversation(userId, data.id)
  const made =
    count === 1 ? { conversationId: data.id, lastMessageId: null, isOurs: sessionName === null } : null
  const talk = made ?? (await findTalk(actor, agentId, sessionName ?? ''))
  if (!talk) throw missing()
  return talk
}

async function findTalk(actor: Actor, agentId: string, sessionName: string): Promise<Talk | null> {
  const id = Id.safeParse(sessionName).data
  const row = await db().conversation.findFirst({
    where: { agentId, ...visibleTo(actor), OR: [{ sessionName }, ...(id ? [{ id }] : [])] },
    select: place,
  })
  return row && toTalk(row)
}

/** A message of a history that a client tells. */
export type ToldMessage = { role: 'user' | 'assistant'; text: string }

type Node = { id: string; parentId: string | null; role: string; text: string }

/**
 * Puts what a client remembers of a conversation where it belongs: what is there already is found again, the rest
 * becomes a branch of its own. Gives the last message of it, null if nothing was told.
 */
export async function placeHistory(conversationId: string, told: ToldMessage[]): Promise<string | null> {
  if (told.length === 0) return null
  const { leafId, count } = await findTold(conversationId, told)
  const rest = told.slice(count)
  if (rest.length === 0) return leafId
  // Before whatever is said next, in the order in which it was told.
  const beginsAt = Date.now() - rest.length
  let parentId = leafId
  const rows = rest.map(({ role, text }, index) => {
    const row = { id: newId(), parentId, role, text, createdAt: new Date(beginsAt + index) }
    parentId = row.id
    return { ...row, conversationId, status: 'completed', parts: [{ type: 'text', text }] }
  })
  await db().message.createMany({ data: rows })
  return parentId
}

/** How many of these messages stand in the conversation, one after the other from its beginning, and the last of them. */
async function findTold(conversationId: string, told: ToldMessage[]) {
  const nodes = await sql<Node>`
    SELECT id, parent_id AS "parentId", role, text FROM messages
    WHERE conversation_id = ${conversationId}::uuid AND text = ANY(${told.map(({ text }) => text)}::text[])
    ORDER BY created_at, id`
  let leafId: string | null = null
  for (const [count, { role, text }] of told.entries()) {
    const next: Node | undefined = nodes.findLast(
      (node) => node.parentId === leafId && node.role === role && node.text === text,
    )
    if (!next) return { leafId, count }
    leafId = next.id
  }
  return { leafId, count: told.length }
}
