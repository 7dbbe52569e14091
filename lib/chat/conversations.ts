import { v7 as newId } from 'uuid'
import { type Actor, membershipOf } from '../auth'
import type {
  ConversationRecord,
  ConversationView,
  CreateConversation,
  ListConversations,
  UpdateConversation,
} from '../contracts/conversations'
import type { Listing } from '../contracts/primitives'
import { db, type Prisma } from '../db'
import { AppError } from '../errors'
import { readCursor, toListing, writeCursor } from '../paging'
import { getAgent } from '../projects'
import { stopReply } from '../replies'
import { announceConversation } from './feed'
import { toConversationRecord, toMessageRecord, withRunning } from './records'

/** What a conversation is called before its first message. */
export const untitled = 'New chat'

/** Conversations that the actor may see: own ones, with agents of projects that the actor still belongs to and reaches. */
export function visibleTo(actor: Actor) {
  return {
    userId: actor.userId,
    agent: { project: { members: { some: membershipOf(actor) } } },
  } satisfies Prisma.ConversationWhereInput
}

/** Opens an empty conversation with an agent. Throws not_found. */
export async function createConversation(
  actor: Actor,
  agentId: string,
  input: CreateConversation,
): Promise<ConversationRecord> {
  const agent = await getAgent(actor, agentId)
  const row = await db().conversation.create({
    data: {
      id: newId(),
      agentId: agent.id,
      userId: actor.userId,
      title: input.title ?? untitled,
      titleGiven: input.title !== undefined,
    },
    include: withRunning,
  })
  announceConversation(actor.userId, row.id)
  return toConversationRecord(row)
}

/** The actor's conversations, newest activity first. Throws invalid_input for a cursor that is none of ours. */
export async function listConversations(
  actor: Actor,
  filter: Partial<ListConversations>,
): Promise<Listing<ConversationRecord>> {
  const limit = filter.limit ?? 50
  const rows = await db().conversation.findMany({
    where: {
      AND: [visibleTo(actor), olderThan(filter.cursor)],
      archived: filter.archived ?? false,
      ...(filter.pinned !== undefined && { pinned: filter.pinned }),
      ...(filter.agent_id && { agentId: filter.agent_id }),
      ...(filter.query && { title: { contains: escapePattern(filter.query), mode: 'insensitive' as const } }),
    },
    orderBy: [{ lastActivityAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
    include: withRunning,
  })
  return toListing(rows, limit, {
    record: toConversationRecord,
    cursor: ({ lastActivityAt, id }) => writeCursor({ at: lastActivityAt, id }),
  })
}

/** Prisma hands the text to LIKE as it is; `%` and `_` are meant as themselves here. */
function escapePattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

function olderThan(cursor: string | undefined): Prisma.ConversationWhereInput {
  const place = readCursor(cursor)
  if (!place) return {}
  const { at, id } = place
  return { OR: [{ lastActivityAt: { lt: at } }, { lastActivityAt: at, id: { lt: id } }] }
}

/** Those of these conversations that the actor may see. */
export async function findConversations(actor: Actor, ids: string[]): Promise<ConversationRecord[]> {
  const rows = await db().conversation.findMany({
    where: { id: { in: ids }, ...visibleTo(actor) },
    include: withRunning,
  })
  return rows.map(toConversationRecord)
}

/** A conversation with all of its messages, every branch. Throws not_found. */
export async function getConversationView(actor: Actor, conversationId: string): Promise<ConversationView> {
  const row = await db().conversation.findFirst({
    where: { id: conversationId, ...visibleTo(actor) },
    include: { ...withRunning, messages: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] } },
  })
  if (!row) throw missing()
  return {
    conversation: toConversationRecord(row),
    messages: row.messages.map(toMessageRecord),
    running_reply_id: row.replies[0]?.id ?? null,
  }
}

/** Renames, pins, archives, or remembers the branch that is shown. Throws not_found, invalid_input. */
export async function updateConversation(
  actor: Actor,
  conversationId: string,
  change: UpdateConversation,
): Promise<ConversationRecord> {
  const { title, pinned, archived, current_message_id: currentMessageId } = change
  const row = await db().$transaction(async (tx) => {
    const found = await tx.conversation.findFirst({
      where: { id: conversationId, ...visibleTo(actor) },
      select: { id: true },
    })
    if (!found) throw missing()
    if (
      currentMessageId &&
      !(await tx.message.findFirst({ where: { id: currentMessageId, conversationId } }))
    ) {
      throw new AppError('invalid_input', 'This message is not in the conversation.', {
        issues: [{ path: 'current_message_id', message: 'No message of this conversation.' }],
      })
    }
    return tx.conversation.update({
      where: { id: conversationId },
      data: { title, pinned, archived, currentMessageId, ...(title !== undefined && { titleGiven: true }) },
      include: withRunning,
    })
  })
  announceConversation(actor.userId, conversationId)
  return toConversationRecord(row)
}

/** Deletes a conversation with all that was said; a running answer is stopped. Throws not_found. */
export async function deleteConversation(actor: Actor, conversationId: string): Promise<void> {
  const running = await db().reply.findMany({
    where: { conversationId, status: 'running', conversation: visibleTo(actor) },
    select: { id: true },
  })
  for (const { id } of running) await stopReply(id)
  const { count } = await db().conversation.deleteMany({ where: { id: conversationId, ...visibleTo(actor) } })
  if (count === 0) throw missing()
  announceConversation(actor.userId, conversationId)
}

/** The answer for a conversation that is not there, or not the caller's. */
export function missing(): AppError {
  return new AppError('not_found', 'This conversation is not there, or not yours.')
}
