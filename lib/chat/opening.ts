import { createHash } from 'node:crypto'
import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import type { OpenedReply } from '../contracts/conversations'
import { db, type JsonInput, type Prisma, type Transaction } from '../db'
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

export type Opened = {
  answer: OpenedReply
  replyId: string
  agentId: string
  isNew: boolean
}

/**
 * Stores the message and the row of its reply in one transaction, behind a lock on the conversation.
 * The same request again finds what the first one stored. Throws not_found, conflict, invalid_input.
 */
export async function storeRequest(actor: Actor, request: ReplyRequest): Promise<Opened> {
  const { conversationId, requestId } = request
  const requestHash = createHash('sha256').update(JSON.stringify(request.content)).digest('hex')
  return db().$transaction(async (tx) => {
    const { agentId, isUntitled } = await lockConversation(tx, actor, conversationId)
    const replies = await tx.reply.findMany({
      where: { OR: [{ requestId }, { conversationId, status: 'running' }] },
    })
    const known = replies.find((reply) => reply.requestId === requestId)
    if (known) {
      if (known.conversationId !== conversationId || known.requestHash !== requestHash) throw reusedId()
      return { ...(await findAnswer(tx, known, request)), agentId, isNew: false }
    }
    if (replies.length > 0) {
      throw new AppError('conflict', 'An answer is still being written here. Wait for it, or stop it first.')
    }
    const stored = await store(tx, actor, { ...request, requestHash, isUntitled })
    return { ...stored, agentId, isNew: true }
  })
}

type Locked = { agentId: string; isUntitled: boolean }

/** Nobody else opens a reply here until this transaction is over. */
async function lockConversation(tx: Transaction, actor: Actor, conversationId: string): Promise<Locked> {
  const [locked] = await tx.$queryRaw<Locked[]>`
    SELECT c.agent_id AS "agentId", NOT c.title_given AND c.title = ${untitled} AS "isUntitled"
    FROM conversations c
    JOIN agents a ON a.id = c.agent_id
    JOIN project_members m ON m.project_id = a.project_id AND m.user_id = c.user_id
    WHERE c.id = ${conversationId}::uuid AND c.user_id = ${actor.userId}::uuid
    FOR UPDATE OF c`
  if (!locked) throw missing()
  return locked
}

function reusedId(): AppError {
  return new AppError('conflict', 'This id was used for another message already.')
}

type NewRequest = ReplyRequest & { requestHash: string; isUntitled: boolean }

async function store(tx: Transaction, actor: Actor, request: NewRequest) {
  const { ask, conversationId, requestId, requestHash } = request
  const messageId = request.answerId ?? newId()
  await requirePlace(tx, request, messageId)
  // Times decide the order in which messages are read; the answer comes after its question.
  const askedAt = new Date()
  const answer: NewMessage = {
    id: messageId,
    conversationId,
    parentId: 'text' in ask ? requestId : ask.parentId,
    role: 'assistant',
    status: 'running',
    createdAt: new Date(askedAt.getTime() + 1),
  }
  const messages = 'text' in ask ? [userMessage(request, ask, askedAt), answer] : [answer]
  const rows = await tx.message.createManyAndReturn({ data: messages })
  await tx.conversation.updateMany({
    where: { id: conversationId },
    data: {
      currentMessageId: messageId,
      lastActivityAt: askedAt,
      ...(request.isUntitled && 'text' in ask && { title: titleFrom(ask.text) }),
    },
  })
  const reply = { id: newId(), conversationId, userId: actor.userId, messageId, requestId, requestHash }
  await tx.reply.createMany({ data: { ...reply, ...newLease() } })
  const shown = rows.find(({ id }) => id === shownId(request, messageId))
  if (!shown) throw reusedId()
  return toOpened(reply, shown)
}

type NewMessage = Prisma.MessageUncheckedCreateInput

function userMessage(
  request: NewRequest,
  ask: { text: string; parentId: string | null },
  createdAt: Date,
): NewMessage {
  return {
    id: request.requestId,
    conversationId: request.conversationId,
    parentId: ask.parentId,
    role: 'user',
    status: 'completed',
    parts: [{ type: 'text', text: ask.text }] satisfies JsonInput,
    text: ask.text,
    requestHash: request.requestHash,
    createdAt,
  }
}

/** What the request hangs on must be in the conversation, and its ids must be new. */
async function requirePlace(tx: Transaction, request: NewRequest, messageId: string): Promise<void> {
  const { parentId } = request.ask
  const ids = [request.requestId, messageId, ...(parentId === null ? [] : [parentId])]
  const found = await tx.message.findMany({
    where: { id: { in: ids } },
    select: { id: true, conversationId: true },
  })
  if (parentId !== null) {
    const isHere = found.some(
      ({ id, conversationId }) => id === parentId && conversationId === request.conversationId,
    )
    if (!isHere) {
      throw new AppError('invalid_input', 'The message that this answers is not in the conversation.', {
        issues: [{ path: 'parent_id', message: 'No message of this conversation.' }],
      })
    }
  }
  if (found.some(({ id }) => id === messageId || id === request.requestId)) throw reusedId()
}

/** The call answers with the user's message, or, where none is new, with the one that is being written. */
function shownId(request: ReplyRequest, messageId: string): string {
  return 'text' in request.ask ? request.requestId : messageId
}

async function findAnswer(tx: Transaction, reply: { id: string; messageId: string }, request: ReplyRequest) {
  const id = shownId(request, reply.messageId)
  return toOpened(reply, await tx.message.findUniqueOrThrow({ where: { id } }))
}

type MessageRow = Parameters<typeof toMessageRecord>[0]

function toOpened(reply: { id: string; messageId: string }, shown: MessageRow) {
  const answer: OpenedReply = {
    message: toMessageRecord(shown),
    reply: { id: reply.id, message_id: reply.messageId, events_url: `/api/replies/${reply.id}/events` },
  }
  return { answer, replyId: reply.id }
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
