import { createHash } from 'node:crypto'
import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import type { OpenedReply } from '../contracts/conversations'
import { db, type JsonInput, type Prisma, type Transaction } from '../db'
import { AppError } from '../errors'
import { newLease } from '../replies'
import { missing, untitled, visibleTo } from './conversations'
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
  const requestHash = createHash('sha256').update(JSON.stringify(request.content)).digest('hex')
  return db().$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM conversations WHERE id = ${request.conversationId}::uuid FOR UPDATE`
    const conversation = await tx.conversation.findFirst({
      where: { id: request.conversationId, ...visibleTo(actor) },
      include: { replies: { where: { status: 'running' } } },
    })
    if (!conversation) throw missing()
    const { agentId } = conversation
    const known = await tx.reply.findUnique({ where: { requestId: request.requestId } })
    if (known) {
      if (known.conversationId !== conversation.id || known.requestHash !== requestHash) throw reusedId()
      return { ...(await answerFor(tx, known, request)), agentId, isNew: false }
    }
    if (conversation.replies.length > 0) {
      throw new AppError('conflict', 'An answer is still being written here. Wait for it, or stop it first.')
    }
    const stored = await store(tx, actor, {
      ...request,
      requestHash,
      isUntitled: !conversation.titleGiven && conversation.title === untitled,
    })
    return { ...(await answerFor(tx, stored, request)), agentId, isNew: true }
  })
}

function reusedId(): AppError {
  return new AppError('conflict', 'This id was used for another message already.')
}

type NewRequest = ReplyRequest & { requestHash: string; isUntitled: boolean }

async function store(tx: Transaction, actor: Actor, request: NewRequest) {
  const { ask, conversationId } = request
  if (ask.parentId !== null) await requireMessage(tx, conversationId, ask.parentId)
  const parentId = 'text' in ask ? request.requestId : ask.parentId
  const messageId = request.answerId ?? newId()
  const taken = await tx.message.findFirst({
    where: { id: { in: [request.requestId, messageId] } },
    select: { id: true },
  })
  if (taken) throw reusedId()
  // Times decide the order in which messages are read; the answer comes after its question.
  const askedAt = new Date()
  if ('text' in ask) await tx.message.create({ data: userMessage(request, ask, askedAt) })
  await tx.message.create({
    data: {
      id: messageId,
      conversationId,
      parentId,
      role: 'assistant',
      status: 'running',
      createdAt: new Date(askedAt.getTime() + 1),
    },
  })
  await tx.conversation.update({
    where: { id: conversationId },
    data: {
      currentMessageId: messageId,
      lastActivityAt: askedAt,
      ...(request.isUntitled && 'text' in ask && { title: titleFrom(ask.text) }),
    },
  })
  const { requestId, requestHash } = request
  return tx.reply.create({
    data: {
      id: newId(),
      conversationId,
      userId: actor.userId,
      messageId,
      requestId,
      requestHash,
      ...newLease(),
    },
  })
}

function userMessage(
  request: NewRequest,
  ask: { text: string; parentId: string | null },
  createdAt: Date,
): Prisma.MessageUncheckedCreateInput {
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

async function requireMessage(tx: Transaction, conversationId: string, id: string): Promise<void> {
  if (await tx.message.findFirst({ where: { id, conversationId }, select: { id: true } })) return
  throw new AppError('invalid_input', 'The message that this answers is not in the conversation.', {
    issues: [{ path: 'parent_id', message: 'No message of this conversation.' }],
  })
}

/** The answer to the call: the user's message, or, where none is new, the one that is being written. */
async function answerFor(tx: Transaction, reply: { id: string; messageId: string }, request: ReplyRequest) {
  const shownId = 'text' in request.ask ? request.requestId : reply.messageId
  const message = await tx.message.findUniqueOrThrow({ where: { id: shownId } })
  const answer: OpenedReply = {
    message: toMessageRecord(message),
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
