import type { Actor } from './auth'
import { isSignedIn, onAccessChange } from './auth'
import { addCount } from './bus'
import { answerWith, explainFailure } from './chat/answer'
import { missing, visibleTo } from './chat/conversations'
import { type ReplyRequest, storeRequest } from './chat/opening'
import { toMessageRecord } from './chat/records'
import type {
  EditMessage,
  OpenedReply,
  RegenerateMessage,
  ReplyEvent,
  SendMessage,
} from './contracts/conversations'
import { db } from './db'
import { env } from './env'
import { AppError } from './errors'
import { type Frame, followReply, openReply, stopReply } from './replies'

export {
  createConversation,
  deleteConversation,
  getConversationView,
  listConversations,
  updateConversation,
} from './chat/conversations'
export { getConversationOpening } from './chat/opening-view'

/**
 * Stores the message and opens its reply, which outlives this request; the same message again is the same reply.
 * Throws not_found, conflict, invalid_input, too_many_requests.
 */
export async function sendMessage(
  actor: Actor,
  conversationId: string,
  message: SendMessage,
  requestId: string,
): Promise<OpenedReply> {
  const { id, parent_id: parentId, text, file_ids: fileIds } = message
  if (fileIds && fileIds.length > 0) {
    throw new AppError('invalid_input', 'Files cannot be attached yet.', {
      issues: [{ path: 'file_ids', message: 'Leave this out.' }],
    })
  }
  const content = ['send', parentId, text]
  return open(
    actor,
    { requestId: id, conversationId, content, ask: { text, parentId } },
    { requestId, model: null },
  )
}

/** Writes another answer beside this one. Throws not_found, conflict, invalid_input. */
export async function regenerateMessage(
  actor: Actor,
  messageId: string,
  { id, model }: RegenerateMessage,
  requestId: string,
): Promise<OpenedReply> {
  const { conversationId, role, parentId } = await getMessage(actor, messageId)
  if (role !== 'assistant' || parentId === null) {
    throw new AppError('invalid_input', 'Only an answer can be written anew.')
  }
  const content = ['regenerate', messageId, model ?? null]
  const request = { requestId: id, answerId: id, conversationId, content, ask: { parentId } }
  return open(actor, request, { requestId, model: model ?? null })
}

/** Says the same thing otherwise: a new branch beside the user's message. Throws not_found, conflict, invalid_input. */
export async function editMessage(
  actor: Actor,
  messageId: string,
  { id, text }: EditMessage,
  requestId: string,
): Promise<OpenedReply> {
  const { conversationId, role, parentId } = await getMessage(actor, messageId)
  if (role !== 'user') throw new AppError('invalid_input', 'Only your own messages can be edited.')
  const content = ['edit', messageId, text]
  return open(
    actor,
    { requestId: id, conversationId, content, ask: { text, parentId } },
    { requestId, model: null },
  )
}

async function getMessage(actor: Actor, messageId: string) {
  const message = await db().message.findFirst({
    where: { id: messageId, conversation: visibleTo(actor) },
    select: { conversationId: true, role: true, parentId: true },
  })
  if (!message) throw new AppError('not_found', 'This message is not there, or not yours.')
  return message
}

async function open(
  actor: Actor,
  request: ReplyRequest,
  { requestId, model }: { requestId: string; model: string | null },
): Promise<OpenedReply> {
  await limitMessages(actor)
  const { answer, replyId, agentId, isNew } = await storeRequest(actor, request)
  if (!isNew) return answer
  const { source, ended } = answerWith({ actor, agentId, replyId, messageId: answer.reply.message_id, model })
  openReply({ replyId, ended, explain: (error) => explainFailure(error, requestId) }, source)
  return answer
}

async function limitMessages(actor: Actor): Promise<void> {
  const limits = env().RATE_LIMITS
  if (limits === 'off') return
  const { count, resetMs } = await addCount(`message:${actor.userId}`, limits.message.windowMs, 1)
  if (count > limits.message.count) {
    throw new AppError(
      'too_many_requests',
      'You are sending faster than this server allows. Wait a moment.',
      {
        retryAfterSeconds: resetMs / 1000,
      },
    )
  }
}

async function getReply(actor: Actor, replyId: string) {
  const reply = await db().reply.findFirst({
    where: { id: replyId, conversation: visibleTo(actor) },
    select: { id: true, messageId: true },
  })
  if (!reply) throw new AppError('not_found', 'This answer is not there, or not yours.')
  return reply
}

/** Stops an answer and keeps what was said. Stopping one that has ended changes nothing. Throws not_found. */
export async function stopAnswer(actor: Actor, replyId: string): Promise<void> {
  await getReply(actor, replyId)
  stopReply(replyId)
}

export type NumberedEvent = { id: number; event: ReplyEvent['type']; data: ReplyEvent['data'] }

/**
 * The events of an answer after `after`, up to its terminal one; ends early when the actor may not see it any more.
 * Throws not_found before anything is sent.
 */
export async function followAnswer(
  actor: Actor,
  replyId: string,
  after: number,
): Promise<(signal: AbortSignal) => AsyncIterable<NumberedEvent>> {
  const { messageId } = await getReply(actor, replyId)
  return async function* follow(signal) {
    const ended = new AbortController()
    const lookAgain = async () => {
      if (!(await mayFollow(actor, replyId))) ended.abort()
    }
    const stopListening = onAccessChange(actor, () => void lookAgain())
    try {
      // What changed between the request and here was announced before anyone listened.
      void lookAgain()
      for await (const frame of followReply(replyId, after, AbortSignal.any([signal, ended.signal]))) {
        yield { id: frame.seq, ...(await toEvent(frame, messageId)) }
      }
    } finally {
      stopListening()
    }
  }
}

/** A database that does not answer ends the stream too: the reader comes back when it does. */
async function mayFollow(actor: Actor, replyId: string): Promise<boolean> {
  try {
    return (await isSignedIn(actor)) && Boolean(await getReply(actor, replyId))
  } catch {
    return false
  }
}

async function toEvent(
  frame: Frame,
  messageId: string,
): Promise<{ event: ReplyEvent['type']; data: ReplyEvent['data'] }> {
  const { type, text } = frame
  if (type === 'text' || type === 'reasoning') return { event: type, data: { text } }
  const row = await db().message.findUnique({ where: { id: messageId } })
  if (!row) throw missing()
  const message = toMessageRecord(row)
  if (type === 'completed') return { event: type, data: { message, usage: message.usage ?? null } }
  if (type === 'failed' && message.error) return { event: type, data: { message, error: message.error } }
  return { event: type, data: { message } }
}
