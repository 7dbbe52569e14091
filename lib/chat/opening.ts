import { createHash } from 'node:crypto'
import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import type { MessageRecord, OpenedReply } from '../contracts/conversations'
import { db, requireRoom, type Sql, transact } from '../db'
import { AppError } from '../errors'
import { newLease } from '../replies'
import { missing, untitled } from './conversations'
import { toMessageRecord } from './records'

/** One request for an answer, whichever call it came by. */
export type ReplyRequest = {
  /** Made by the client; the same id and content again is the same request. */
  requestId: string
  conversationId: string
  /** What a repeated request must agree in. */
  content: readonly unknown[]
  /** A new message of the user's, which the answer hangs on; or the message that it hangs on. */
  ask: { text: string; parentId: string | null } | { parentId: string }
  /** Id of the answer, where the client chose it. */
  answerId?: string
}

export type Opened = { answer: OpenedReply; isNew: boolean }

/**
 * Stores the message and the row of its reply in one transaction, behind a lock on the conversation.
 * The same request again finds what the first one stored. Throws not_found, conflict, invalid_input.
 */
export async function storeRequest(actor: Actor, request: ReplyRequest): Promise<Opened> {
  const { conversationId } = request
  const requestHash = createHash('sha256').update(JSON.stringify(request.content)).digest('hex')
  const stored = await transact(async (sql) => {
    const isUntitled = await lockConversation(sql, actor, conversationId)
    const known = await findReply(sql, { ...request, requestHash })
    if (known) return { reply: known, shown: null }
    await requireRoom()
    await requirePlace(sql, request)
    return store(sql, actor, { ...request, requestHash, isUntitled })
  })
  const { reply, shown } = stored
  return {
    isNew: shown !== null,
    answer: {
      message: shown ?? (await readMessage(shownId(request, reply.messageId))),
      reply: { id: reply.id, message_id: reply.messageId, events_url: `/api/replies/${reply.id}/events` },
    },
  }
}

/** Nobody else opens a reply here until this transaction is over. Returns whether the conversation has no name yet. */
async function lockConversation(sql: Sql, actor: Actor, conversationId: string): Promise<boolean> {
  const [locked] = await sql<{ isUntitled: boolean }>`
    SELECT NOT c.title_given AND c.title = ${untitled} AS "isUntitled"
    FROM conversations c
    JOIN agents a ON a.id = c.agent_id
    JOIN project_members m ON m.project_id = a.project_id AND m.user_id = c.user_id
    WHERE c.id = ${conversationId}::uuid AND c.user_id = ${actor.userId}::uuid
    FOR UPDATE OF c`
  if (!locked) throw missing()
  return locked.isUntitled
}

type ReplyRow = { id: string; messageId: string }
type KnownRow = ReplyRow & { requestId: string; requestHash: string; conversationId: string }

/** The reply of the same request, if it was made before. */
async function findReply(
  sql: Sql,
  { requestId, conversationId, requestHash }: ReplyRequest & { requestHash: string },
): Promise<ReplyRow | null> {
  const replies = await sql<KnownRow>`
    SELECT id, message_id AS "messageId", request_id AS "requestId", request_hash AS "requestHash",
      conversation_id AS "conversationId"
    FROM replies
    WHERE request_id = ${requestId}::uuid
      OR (conversation_id = ${conversationId}::uuid AND status = 'running')`
  const known = replies.find((reply) => reply.requestId === requestId)
  if (known) {
    if (known.conversationId !== conversationId || known.requestHash !== requestHash) throw reusedId()
    return known
  }
  if (replies.length > 0) {
    throw new AppError('conflict', 'An answer is still being written here. Wait for it, or stop it first.')
  }
  return null
}

function reusedId(): AppError {
  return new AppError('conflict', 'This id was used for another message already.')
}

/** What the request hangs on must be in the conversation, and its ids must be new. */
async function requirePlace(sql: Sql, { ask, requestId, conversationId }: ReplyRequest): Promise<void> {
  const found = await sql<{ id: string; conversationId: string }>`
    SELECT id, conversation_id AS "conversationId" FROM messages
    WHERE id = ANY(${[requestId, ask.parentId]}::uuid[])`
  const isHere = found.some(
    (message) => message.id === ask.parentId && message.conversationId === conversationId,
  )
  if (ask.parentId !== null && !isHere) {
    throw new AppError('invalid_input', 'The message that this answers is not in the conversation.', {
      issues: [{ path: 'parent_id', message: 'No message of this conversation.' }],
    })
  }
  if (found.some(({ id }) => id === requestId)) throw reusedId()
}

type NewRequest = ReplyRequest & { requestHash: string; isUntitled: boolean }

async function store(sql: Sql, actor: Actor, request: NewRequest) {
  const { ask, conversationId, requestId, requestHash } = request
  const reply = { id: newId(), messageId: request.answerId ?? newId() }
  // Times decide the order in which messages are read; the answer comes after its question.
  const askedAt = new Date()
  const answeredAt = new Date(askedAt.getTime() + 1)
  const answer = newMessage({
    id: reply.messageId,
    parent_id: 'text' in ask ? requestId : ask.parentId,
    role: 'assistant',
    text: '',
    created_at: answeredAt.toISOString(),
  })
  const asked = 'text' in ask ? newQuestion(request, ask, askedAt) : null
  const messages = asked ? [asked, answer] : [answer]
  const title = request.isUntitled && asked ? titleFrom(asked.text) : null
  const { nodeId, leaseMs } = newLease()
  await sql`
    WITH written AS (
      INSERT INTO messages (id, conversation_id, parent_id, role, status, parts, text, created_at, request_hash)
      SELECT m.id, ${conversationId}::uuid, m.parent_id, m.role, m.status, m.parts, m.text, m.created_at,
        CASE WHEN m.role = 'user' THEN ${requestHash}::text END
      FROM jsonb_to_recordset(${JSON.stringify(messages)}::jsonb)
        AS m(id uuid, parent_id uuid, role text, status text, parts jsonb, text text, created_at timestamptz)
    ), shown AS (
      UPDATE conversations SET current_message_id = ${reply.messageId}::uuid, last_activity_at = ${askedAt},
        title = coalesce(${title}::text, title)
      WHERE id = ${conversationId}::uuid
    )
    INSERT INTO replies (id, conversation_id, user_id, message_id, request_id, request_hash, node_id, lease_expires_at)
    VALUES (${reply.id}::uuid, ${conversationId}::uuid, ${actor.userId}::uuid, ${reply.messageId}::uuid,
      ${requestId}::uuid, ${requestHash}, ${nodeId}, now() + ${leaseMs}::int * interval '1 millisecond')`
  return { reply, shown: asked ?? answer }
}

type NewMessage = Pick<MessageRecord, 'id' | 'parent_id' | 'text' | 'created_at'> & {
  role: 'user' | 'assistant'
}

function newMessage(message: NewMessage): MessageRecord {
  const { role, text } = message
  return {
    ...message,
    status: role === 'user' ? 'completed' : 'running',
    parts: role === 'user' ? [{ type: 'text', text }] : [],
  }
}

function newQuestion(
  { requestId }: NewRequest,
  { text, parentId }: { text: string; parentId: string | null },
  askedAt: Date,
): MessageRecord {
  return newMessage({
    id: requestId,
    parent_id: parentId,
    role: 'user',
    text,
    created_at: askedAt.toISOString(),
  })
}

/** The call answers with the user's message, or, where none is new, with the one that is being written. */
function shownId(request: ReplyRequest, messageId: string): string {
  return 'text' in request.ask ? request.requestId : messageId
}

async function readMessage(id: string): Promise<MessageRecord> {
  return toMessageRecord(await db().message.findUniqueOrThrow({ where: { id } }))
}

const maxTitleLength = 60

/** The first words of the first message. */
function titleFrom(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  if (line.length <= maxTitleLength) return line || untitled
  const cut = line.slice(0, maxTitleLength).toWellFormed()
  const space = cut.lastIndexOf(' ')
  return `${(space > maxTitleLength / 2 ? cut.slice(0, space) : cut).replaceAll('\ufffd', '').trimEnd()}…`
}
