import type { Actor } from './auth'
import { isSignedIn, onAccessChange } from './auth'
import { addCount } from './bus'
import { answerWith } from './chat/answer'
import { type Context, readContext } from './chat/context'
import { missing, visibleTo } from './chat/conversations'
import { announceConversation } from './chat/feed'
import { type ReplyRequest, storeRequest } from './chat/opening'
import { toMessageRecord } from './chat/records'
import { requireSeat, takeSeat } from './chat/seats'
import type {
  ContinueMessage,
  EditMessage,
  MessagePart,
  OpenedReply,
  RegenerateMessage,
  ReplyEvent,
  SendMessage,
} from './contracts/conversations'
import { db, sql } from './db'
import { env } from './env'
import { AppError } from './errors'
import { type Frame, followReply, openReply, stopReply } from './replies'

export { adoptAnswer } from './chat/adoption'
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
  return open(actor, { requestId: id, conversationId, content, ask: { text, parentId } }, { requestId })
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
  return open(actor, { requestId: id, conversationId, content, ask: { text, parentId } }, { requestId })
}

/**
 * Goes on with an answer that broke off: a new one beside it, which begins with what was said.
 * Throws not_found, conflict, invalid_input.
 */
export async function continueMessage(
  actor: Actor,
  messageId: string,
  { id }: ContinueMessage,
  requestId: string,
): Promise<OpenedReply> {
  const { conversationId, role, parentId, parts, text, status, finish } = await getMessage(actor, messageId)
  const isCut = status === 'interrupted' || status === 'stopped' || status === 'failed' || finish === 'length'
  if (role !== 'assistant' || parentId === null || !isCut || text === '') {
    throw new AppError(
      'invalid_input',
      'Only an answer that broke off after its first words can be continued.',
    )
  }
  const content = ['continue', messageId]
  const request = { requestId: id, answerId: id, conversationId, content, ask: { parentId } }
  return open(actor, request, { requestId, continued: parts as MessagePart[] })
}

async function getMessage(actor: Actor, messageId: string) {
  const message = await db().message.findFirst({
    where: { id: messageId, conversation: visibleTo(actor) },
    select: {
      conversationId: true,
      role: true,
      parentId: true,
      parts: true,
      text: true,
      status: true,
      finish: true,
    },
  })
  if (!message) throw new AppError('not_found', 'This message is not there, or not yours.')
  return message
}

type Wish = { requestId: string; model?: string | null; continued?: MessagePart[] }

async function open(actor: Actor, request: ReplyRequest, wish: Wish): Promise<OpenedReply> {
  await limitMessages(actor)
  const { conversationId, ask } = request
  // Read while the message is stored; whether this actor may, the storing decides too.
  const context = readContext(actor, conversationId, ask.parentId)
  context.catch(() => undefined)
  const { answer, isNew } = await storeRequest(actor, request)
  if (!isNew) return answer
  const said = wish.continued ? textOf(wish.continued) : null
  const { source, opening } = answerWith({
    actor,
    replyId: answer.reply.id,
    requestId: wish.requestId,
    context: context.then((known) => withQuestion(known, ask, said)),
    model: wish.model ?? null,
    continued: wish.continued ?? null,
  })
  openReply(answer.reply.id, opening, source)
  announceConversation(actor.userId, conversationId)
  return answer
}

/** What is new is not in what was read: the question, or the beginning of the answer that is continued. */
function withQuestion({ agent, messages }: Context, ask: ReplyRequest['ask'], said: string | null): Context {
  const question = 'text' in ask ? [{ role: 'user' as const, text: ask.text }] : []
  const begun = said === null ? [] : [{ role: 'assistant' as const, text: said }]
  return { agent, messages: [...messages, ...question, ...begun] }
}

function textOf(parts: MessagePart[]): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n')
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

/** The id of the message that a reply writes, if the actor may see it. Throws not_found. */
async function getReplyMessage(actor: Actor, replyId: string): Promise<string> {
  const [reply] = await sql<{ messageId: string }>`
    SELECT r.message_id AS "messageId"
    FROM replies r
    JOIN conversations c ON c.id = r.conversation_id
    JOIN agents a ON a.id = c.agent_id
    JOIN project_members m ON m.project_id = a.project_id AND m.user_id = c.user_id
    WHERE r.id = ${replyId}::uuid AND c.user_id = ${actor.userId}::uuid`
  if (!reply) throw new AppError('not_found', 'This answer is not there, or not yours.')
  return reply.messageId
}

/** Stops an answer and keeps what was said. Stopping one that has ended changes nothing. Throws not_found. */
export async function stopAnswer(actor: Actor, replyId: string): Promise<void> {
  await getReplyMessage(actor, replyId)
  await stopReply(replyId)
}

export type NumberedEvent = { id: number; event: ReplyEvent['type']; data: ReplyEvent['data'] }

/**
 * The events of an answer after `after`, up to its terminal one, those that are there together in one piece; ends early
 * when the actor may not see it any more. Throws not_found and too_many_requests before anything is sent.
 */
export async function followAnswer(
  actor: Actor,
  replyId: string,
  after: number,
): Promise<(signal: AbortSignal) => AsyncIterable<NumberedEvent[]>> {
  const messageId = await getReplyMessage(actor, replyId)
  requireSeat(actor, replyId)
  return async function* follow(signal) {
    const leave = takeSeat(actor, replyId)
    const ended = new AbortController()
    const lookAgain = async () => {
      if (!(await mayFollow(actor, replyId))) ended.abort()
    }
    const stopListening = onAccessChange(actor, () => void lookAgain())
    try {
      // What changed between the request and here was announced before anyone listened.
      void lookAgain()
      for await (const frames of followReply(replyId, after, AbortSignal.any([signal, ended.signal]))) {
        yield await toEvents(frames, messageId)
      }
    } finally {
      stopListening()
      leave()
    }
  }
}

/** A database that does not answer ends the stream too: the reader comes back when it does. */
async function mayFollow(actor: Actor, replyId: string): Promise<boolean> {
  try {
    return (await isSignedIn(actor)) && (await getReplyMessage(actor, replyId)) !== ''
  } catch {
    return false
  }
}

async function toEvents(frames: Frame[], messageId: string): Promise<NumberedEvent[]> {
  const last = frames.at(-1)
  const events = frames.map(({ seq, type, text }) => ({ id: seq, event: type, data: { text } }))
  if (!last || last.type === 'text' || last.type === 'reasoning') return events as NumberedEvent[]
  const end = { id: last.seq, event: last.type, data: await readEnd(last.type, messageId) }
  return [...events.slice(0, -1), end] as NumberedEvent[]
}

/** What a terminal event tells: the message as it is from now on. */
async function readEnd(type: Frame['type'], messageId: string) {
  const row = await db().message.findUnique({ where: { id: messageId } })
  if (!row) throw missing()
  const message = toMessageRecord(row)
  if (type === 'completed') return { message, usage: message.usage ?? null }
  if (type === 'failed' && message.error) return { message, error: message.error }
  return { message }
}
