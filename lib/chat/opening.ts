import { createHash } from 'node:crypto'
import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import type { FilePart, MessageRecord, OpenedReply } from '../contracts/conversations'
import { db, requireRoom, sql } from '../db'
import { AppError } from '../errors'
import { newLease } from '../replies'
import { type AnsweringAgent, filesIn } from './context'
import { missing, untitled, visibleTo } from './conversations'
import { findMessage } from './records'

/** One request for an answer, whichever call it came by. */
export type ReplyRequest = {
  /** Made by the client; the same id and content again is the same request. */
  requestId: string
  conversationId: string
  /** What a repeated request must agree in. */
  content: readonly unknown[]
  /** A new message of the user's, which the answer hangs on; or the message that it hangs on. */
  ask: { text: string; parentId: string | null; files: FilePart[] } | { parentId: string }
  /** Id of the answer, where the client chose it. */
  answerId?: string
}

/** What was opened; `agent` where the request is new and has to be answered. */
export type Opened = { answer: OpenedReply; agent: AnsweringAgent | null }

/** A conversation changes under one who looks why it took nothing; seldom twice. */
const maxTries = 3

/**
 * Stores the message and the row of its reply, all or nothing; the same request again finds what the first one stored.
 * Throws not_found, conflict, invalid_input, storage_full.
 */
export async function storeRequest(actor: Actor, given: ReplyRequest): Promise<Opened> {
  const request = withHash(given)
  for (let attempt = 1; ; attempt++) {
    await requireRoom()
    const stored = await tryToStore(actor, request)
    if (stored) return stored
    const known = await findKnown(actor, request)
    if (known) return { answer: known, agent: null }
    if (attempt === maxTries) throw stillWriting()
  }
}

/** What the same request stored before; null where there was none. Throws as storeRequest. */
export function findStored(actor: Actor, given: ReplyRequest): Promise<OpenedReply | null> {
  return findKnown(actor, withHash(given))
}

type HashedRequest = ReplyRequest & { requestHash: string }

function withHash(given: ReplyRequest): HashedRequest {
  return { ...given, requestHash: createHash('sha256').update(JSON.stringify(given.content)).digest('hex') }
}

/** Null where something is in the way: what it is, `findKnown` says. */
async function tryToStore(actor: Actor, request: HashedRequest): Promise<Opened | null> {
  const messages = newMessages(request)
  const reply = { id: newId(), messageId: messages.answer.id }
  try {
    const agent = await insertRequest(actor, request, messages, reply.id)
    return agent && { answer: toOpened(reply, messages.asked ?? messages.answer), agent }
  } catch (error) {
    // An id that is there already, or an answer that is being written.
    if (error instanceof AppError && error.code === 'conflict') return null
    throw error
  }
}

function toOpened({ id, messageId }: ReplyRow, message: MessageRecord): OpenedReply {
  return { message, reply: { id, message_id: messageId, events_url: `/api/replies/${id}/events` } }
}

/**
 * One statement, so that everybody waits for one round trip only. The indexes decide between requests that come at once:
 * ids are unique, and a conversation has one running reply. Returns null if the place is not there or not the actor's.
 */
async function insertRequest(
  actor: Actor,
  { ask, conversationId, requestId, requestHash }: HashedRequest,
  { asked, answer }: NewMessages,
  replyId: string,
): Promise<AnsweringAgent | null> {
  const { nodeId, leaseMs } = newLease()
  const messages = JSON.stringify(asked ? [asked, answer] : [answer])
  const [agent] = await sql<AnsweringAgent>`
    WITH home AS (
      SELECT a.id, a.project_id, a.system_prompt, a.model_provider, a.model_name, a.temperature,
        a.max_output_tokens, a.reasoning_effort, a.background
      FROM conversations c
      JOIN agents a ON a.id = c.agent_id
      JOIN project_members m ON m.project_id = a.project_id AND m.user_id = c.user_id
      WHERE c.id = ${conversationId}::uuid AND c.user_id = ${actor.userId}::uuid
        AND m.project_id = coalesce(${actor.boundTo}::uuid, m.project_id)
        AND (${ask.parentId}::uuid IS NULL OR EXISTS (
          SELECT 1 FROM messages p WHERE p.id = ${ask.parentId}::uuid AND p.conversation_id = c.id))
    ), written AS (
      INSERT INTO messages (id, conversation_id, parent_id, role, status, parts, text, created_at)
      SELECT m.id, ${conversationId}::uuid, m.parent_id, m.role, m.status, m.parts, m.text, m.created_at
      FROM home, jsonb_to_recordset(${messages}::jsonb)
        AS m(id uuid, parent_id uuid, role text, status text, parts jsonb, text text, created_at timestamptz)
    ), shown AS (
      UPDATE conversations SET current_message_id = ${answer.id}::uuid, last_activity_at = now(),
        title = CASE WHEN NOT title_given AND title = ${untitled}
          THEN coalesce(${asked && titleOf(asked)}::text, title) ELSE title END
      FROM home WHERE conversations.id = ${conversationId}::uuid
    ), opened AS (
      INSERT INTO replies
        (id, conversation_id, user_id, message_id, request_id, request_hash, node_id, lease_expires_at)
      SELECT ${replyId}::uuid, ${conversationId}::uuid, ${actor.userId}::uuid, ${answer.id}::uuid,
        ${requestId}::uuid, ${requestHash}, ${nodeId}, now() + ${leaseMs}::int * interval '1 millisecond'
      FROM home
    )
    SELECT * FROM home`
  return agent ?? null
}

type ReplyRow = { id: string; messageId: string }
type KnownRow = ReplyRow & { requestId: string; requestHash: string; conversationId: string }

/**
 * What the same request stored before, or null if nothing seems to be in the way any more.
 * Throws not_found, conflict, invalid_input: why the request cannot be stored.
 */
async function findKnown(actor: Actor, request: HashedRequest): Promise<OpenedReply | null> {
  const { conversationId, requestId, requestHash } = request
  const where = { id: conversationId, ...visibleTo(actor) }
  if (!(await db().conversation.findFirst({ where, select: { id: true } }))) throw missing()
  const replies = await sql<KnownRow>`
    SELECT id, message_id AS "messageId", request_id AS "requestId", request_hash AS "requestHash",
      conversation_id AS "conversationId"
    FROM replies
    WHERE request_id = ${requestId}::uuid
      OR (conversation_id = ${conversationId}::uuid AND status = 'running')`
  const known = replies.find((reply) => reply.requestId === requestId)
  if (known) {
    if (known.conversationId !== conversationId || known.requestHash !== requestHash) throw reusedId()
    const message = await findMessage(shownId(request, known.messageId))
    if (!message) throw missing()
    return toOpened(known, message)
  }
  if (replies.length > 0) throw stillWriting()
  await requirePlace(request)
  return null
}

function stillWriting(): AppError {
  return new AppError('conflict', 'An answer is still being written here. Wait for it, or stop it first.')
}

function reusedId(): AppError {
  return new AppError('conflict', 'This id was used for another message already.')
}

/** What the request hangs on must be in the conversation, and its ids must be new. */
async function requirePlace({ ask, requestId, conversationId }: ReplyRequest): Promise<void> {
  const found = await db().message.findMany({
    where: { id: { in: [requestId, ...(ask.parentId === null ? [] : [ask.parentId])] } },
    select: { id: true, conversationId: true },
  })
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

type NewMessages = { asked: MessageRecord | null; answer: MessageRecord }

/** Times decide the order in which messages are read; the answer comes after its question. */
function newMessages({ ask, requestId, answerId }: ReplyRequest): NewMessages {
  const askedAt = Date.now()
  const at = (time: number) => new Date(time).toISOString()
  const isQuestion = 'text' in ask
  const answer = newMessage({
    id: answerId ?? newId(),
    parent_id: isQuestion ? requestId : ask.parentId,
    role: 'assistant',
    text: '',
    created_at: at(askedAt + 1),
  })
  if (!isQuestion) return { asked: null, answer }
  const { text, parentId, files } = ask
  const asked = newMessage({
    id: requestId,
    parent_id: parentId,
    role: 'user',
    text,
    created_at: at(askedAt),
    files,
  })
  return { asked, answer }
}

type NewMessage = Pick<MessageRecord, 'id' | 'parent_id' | 'text' | 'created_at'> & {
  role: 'user' | 'assistant'
  files?: FilePart[]
}

/** Files come before the text. */
function newMessage({ files = [], ...message }: NewMessage): MessageRecord {
  const { role, text } = message
  return {
    ...message,
    status: role === 'user' ? 'completed' : 'running',
    parts: role === 'user' ? [...files, ...(text === '' ? [] : [{ type: 'text' as const, text }])] : [],
  }
}

/** The call answers with the user's message, or, where none is new, with the one that is being written. */
function shownId(request: ReplyRequest, messageId: string): string {
  return 'text' in request.ask ? request.requestId : messageId
}

const maxTitleLength = 60

/** The first words of the first message, or the name of its first file. */
function titleOf({ text, parts }: MessageRecord): string {
  return titleFrom(text.trim() === '' ? (filesIn(parts)[0]?.filename ?? '') : text)
}

/** As much of it as a list shows. */
function titleFrom(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  if (line.length <= maxTitleLength) return line || untitled
  const cut = line.slice(0, maxTitleLength).toWellFormed()
  const space = cut.lastIndexOf(' ')
  return `${(space > maxTitleLength / 2 ? cut.slice(0, space) : cut).replaceAll('\ufffd', '').trimEnd()}…`
}
