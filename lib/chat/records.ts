import type {
  ConversationRecord,
  EarlyFinish,
  MessagePart,
  MessageRecord,
  ReplyError,
  TokenUsage,
} from '../contracts/conversations'
import { type Prisma, sql } from '../db'

/** What is read with every conversation: whether an answer is being written. */
export const withRunning = {
  replies: { where: { status: 'running' }, select: { id: true }, take: 1 },
} satisfies Prisma.ConversationInclude

type ConversationRow = Prisma.ConversationGetPayload<{ include: typeof withRunning }>

/** A conversation as the contract shows it. */
export function toConversationRecord(row: ConversationRow): ConversationRecord {
  return {
    id: row.id,
    agent_id: row.agentId,
    title: row.title,
    pinned: row.pinned,
    archived: row.archived,
    current_message_id: row.currentMessageId,
    running: row.replies.length > 0,
    created_at: row.createdAt.toISOString(),
    last_activity_at: row.lastActivityAt.toISOString(),
  }
}

type MessageRow = Omit<Prisma.MessageGetPayload<object>, 'conversationId'>

/** One message as the contract shows it, or null. */
export async function findMessage(id: string): Promise<MessageRecord | null> {
  const [row] = await sql<MessageRow>`
    SELECT id, parent_id AS "parentId", role, status, parts, text, model, provider, usage, error, finish,
      created_at AS "createdAt"
    FROM messages WHERE id = ${id}::uuid`
  return row ? toMessageRecord(row) : null
}

/** A message as the contract shows it. */
export function toMessageRecord(row: MessageRow): MessageRecord {
  return {
    id: row.id,
    parent_id: row.parentId,
    role: row.role as MessageRecord['role'],
    status: row.status as MessageRecord['status'],
    parts: row.parts as MessagePart[],
    text: row.text,
    ...(row.model && { model: row.model }),
    ...(row.provider && { provider: row.provider }),
    ...(row.usage && { usage: row.usage as TokenUsage }),
    ...(row.error && { error: row.error as ReplyError }),
    ...(row.finish && { finish: row.finish as EarlyFinish }),
    created_at: row.createdAt.toISOString(),
  }
}
