import type { Actor } from './auth'
import { requireLeaveIn } from './chat/allowance'
import { answerWith } from './chat/answer'
import { filesIn, readHistory, type Told } from './chat/context'
import { visibleTo } from './chat/conversations'
import { announceConversation } from './chat/feed'
import { getReplyMessage } from './chat/follow'
import { findStored, type Opened, type ReplyRequest, storeRequest } from './chat/opening'
import type {
  ContinueMessage,
  EditMessage,
  MessagePart,
  OpenedReply,
  RegenerateMessage,
  SendMessage,
} from './contracts/conversations'
import { db } from './db'
import { AppError } from './errors'
import { getFileParts } from './files'
import { openReply, stopReply, textOf } from './replies'

export { adoptAnswer } from './chat/adoption'
export { requireLeave } from './chat/allowance'
export {
  createConversation,
  deleteConversation,
  getConversationView,
  listConversations,
  updateConversation,
} from './chat/conversations'
export { followEvents } from './chat/events'
export { followAnswer, type NumberedEvent } from './chat/follow'
export { getConversationOpening } from './chat/opening-view'
export { getTalk, openTalk, placeHistory, type Talk, type ToldMessage } from './chat/talks'

/**
 * Stores the message and opens its reply, which outlives this request; the same message again is the same reply. With a
 * model, that one answers instead of the agent's.
 * Throws not_found, conflict, invalid_input; by the policy of the caller's key forbidden, budget_exceeded,
 * too_many_requests.
 */
export async function sendMessage(
  actor: Actor,
  conversationId: string,
  message: SendMessage & { model?: string | null },
  requestId: string,
): Promise<OpenedReply> {
  const { id, parent_id: parentId, text, file_ids: fileIds = [] } = message
  const files = fileIds.length === 0 ? [] : await getFileParts(actor, fileIds)
  const content = ['send', parentId, text, ...files.map(({ file_id }) => file_id)]
  const ask = { text, parentId, files }
  const request = { requestId: id, conversationId, content, ask }
  return open(actor, request, { requestId, model: message.model ?? null })
}

/** Writes another answer beside this one. Throws as sendMessage. */
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

/** Says the same thing otherwise, with the same files: a new branch beside the user's message. Throws as sendMessage. */
export async function editMessage(
  actor: Actor,
  messageId: string,
  { id, text }: EditMessage,
  requestId: string,
): Promise<OpenedReply> {
  const { conversationId, role, parentId, parts } = await getMessage(actor, messageId)
  if (role !== 'user') throw new AppError('invalid_input', 'Only your own messages can be edited.')
  const content = ['edit', messageId, text]
  const ask = { text, parentId, files: filesIn(parts as MessagePart[]) }
  return open(actor, { requestId: id, conversationId, content, ask }, { requestId })
}

/**
 * Goes on with an answer that broke off: a new one beside it, which begins with what was said.
 * Throws as sendMessage.
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
  const { conversationId, ask } = request
  const { answer, agent } = await admit(actor, request, wish)
  if (!agent) return answer
  // Only now: what this hangs on may have got its text while the request waited to be stored.
  const history = readHistory(conversationId, ask.parentId)
  history.catch(() => undefined)
  const { source, opening } = answerWith({
    actor,
    agent,
    replyId: answer.reply.id,
    requestId: wish.requestId,
    messages: history.then((said) => [...said, ...findNews(ask, wish)]),
    model: wish.model ?? null,
    continued: wish.continued ?? null,
  })
  const announce = () => announceConversation(actor.userId, conversationId)
  openReply(answer.reply.id, { ...opening, settled: announce }, source)
  announce()
  return answer
}

/** Stores what the caller's key may ask for; what it asked for before is answered as it was then, whatever is left now. */
async function admit(actor: Actor, request: ReplyRequest, { model }: Wish): Promise<Opened> {
  try {
    await requireLeaveIn(actor, request.conversationId, model ?? null)
  } catch (refusal) {
    const known = await findStored(actor, request)
    if (!known) throw refusal
    return { answer: known, agent: null }
  }
  return storeRequest(actor, request)
}

/** What is not in the history: the question, or the beginning of the answer that is continued. */
function findNews(ask: ReplyRequest['ask'], { continued }: Wish): Told[] {
  if ('text' in ask) {
    const { text, files } = ask
    return [{ role: 'user', text, ...(files.length > 0 && { attached: files }) }]
  }
  return continued ? [{ role: 'assistant', text: textOf(continued) }] : []
}

/** Stops an answer and keeps what was said. Stopping one that has ended changes nothing. Throws not_found. */
export async function stopAnswer(actor: Actor, replyId: string): Promise<void> {
  await getReplyMessage(actor, replyId)
  await stopReply(replyId)
}
