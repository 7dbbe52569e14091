import { v7 as newId } from 'uuid'
import { lost, readEnd, toError } from './ask/outcome'
import { composeText, listFileIds, toTold } from './ask/told'
import type { Actor } from './auth'
import {
  deleteConversation,
  followAnswer,
  getTalk,
  type NumberedEvent,
  openTalk,
  placeHistory,
  requireLeave,
  sendMessage,
  type Talk,
} from './chat'
import type { AgentChatCall, ChatAnswer, ChatCall } from './contracts/chat-calls'
import type { ServerEvent } from './http'
import { ensureChatAgent, getAgent } from './projects'

/** An answer that was asked for, which goes on by itself; whoever asked follows it like any other reader. */
type Asked = {
  conversationId: string
  /** By what the client goes on with the conversation. */
  sessionId: string
  follow: (signal: AbortSignal) => AsyncIterable<NumberedEvent[]>
}

/**
 * Asks the actor's own AL-Chat, in the conversation of the client's session or a new one; the model is told the history
 * that the client gives, or else what was said in that conversation.
 * Throws not_found, conflict, invalid_input, forbidden, budget_exceeded, too_many_requests.
 */
export async function askInSession(actor: Actor, call: ChatCall, requestId: string): Promise<Asked> {
  const question = { text: composeText(call), fileIds: listFileIds(call), model: call.model, requestId }
  const agent = await ensureChatAgent(actor)
  await requireLeave(actor, agent, call.model ?? null)
  const talk = await openTalk(actor, agent.id, call.session_id ?? null)
  const told = call.history ? await placeHistory(talk.conversationId, toTold(call.history)) : null
  const place = call.history ? { ...talk, lastMessageId: told } : talk
  const asked = await ask(actor, place, question)
  return { ...asked, sessionId: call.session_id ?? talk.conversationId }
}

/** Asks an agent, in a conversation with it or a new one. Throws as askInSession. */
export async function askAgent(
  actor: Actor,
  agentId: string,
  { message, conversation_id, file_ids }: AgentChatCall,
  requestId: string,
): Promise<Asked> {
  const agent = await getAgent(actor, agentId)
  await requireLeave(actor, agent, null)
  const talk = conversation_id
    ? await getTalk(actor, agent.id, conversation_id)
    : await openTalk(actor, agent.id, null)
  return ask(actor, talk, { text: message, fileIds: file_ids ?? [], requestId })
}

type Question = { text: string; fileIds: string[]; model?: string | null | undefined; requestId: string }

async function ask(actor: Actor, talk: Talk, { text, fileIds, model, requestId }: Question): Promise<Asked> {
  const { conversationId, lastMessageId } = talk
  const files = fileIds.length > 0 ? { file_ids: fileIds } : {}
  const message = { id: newId(), parent_id: lastMessageId, text, model: model ?? null, ...files }
  const { reply } = await sendMessage(actor, conversationId, message, requestId).catch(async (error) => {
    // Nothing could be said in it. One with a name stays: somebody else may be speaking there by now.
    if (talk.isOurs) await deleteConversation(actor, conversationId).catch(() => undefined)
    throw error
  })
  const follow = await followAnswer(actor, reply.id, -1)
  return { conversationId, sessionId: conversationId, follow }
}

/**
 * The whole answer. When the caller has gone, nobody waits for it any more, and it is written all the same.
 * Throws what the answer failed with.
 */
export async function waitForAnswer({ follow, sessionId }: Asked, gone: AbortSignal): Promise<ChatAnswer> {
  for await (const events of follow(gone)) {
    const end = readEnd(events)
    if (!end) continue
    if (end.error) throw toError(end.error)
    const { text, model, usage } = end.message
    return {
      success: true,
      response: text,
      model: model ?? null,
      usage: usage ?? null,
      session_id: sessionId,
      timestamp: new Date().toISOString(),
    }
  }
  throw lost()
}

/** What is in every event beside the text, and whether the last one has a text, too. */
type Manner = { always?: Record<string, string>; lastText?: string }

/**
 * The answer as events without names, each with a text; the last one is `done`. Nothing is returned before the answer
 * has begun: what it fails with until then is thrown, later it is in the last event.
 */
export async function streamAnswer(
  { follow }: Asked,
  gone: AbortSignal,
  manner: Manner = {},
): Promise<(signal: AbortSignal) => AsyncIterable<ServerEvent[]>> {
  const left = new AbortController()
  const leave = () => left.abort()
  gone.addEventListener('abort', leave, { once: true })
  const events = follow(left.signal)[Symbol.asyncIterator]()
  const first = await events.next()
  if (first.done) throw lost()
  const failure = first.value[0]?.event === 'text' ? null : readEnd(first.value)?.error
  if (failure) throw toError(failure)
  return async function* tell(signal) {
    signal.addEventListener('abort', leave, { once: true })
    try {
      for (let next: typeof first | { done: true } = first; !next.done; next = await events.next()) {
        const told = next.value.flatMap((event) => writeEvent(event, manner))
        if (told.length > 0) yield told
        if (readEnd(next.value)) return
      }
      yield [lastEvent(manner, { error: { code: lost().code, message: lost().message } })]
    } finally {
      leave()
      gone.removeEventListener('abort', leave)
    }
  }
}

function writeEvent(event: NumberedEvent, manner: Manner): ServerEvent[] {
  if (event.event === 'text' && 'text' in event.data)
    return [{ data: { text: event.data.text, ...manner.always } }]
  const end = readEnd([event])
  if (!end) return []
  return [lastEvent(manner, end.error ? { error: end.error } : { usage: end.message.usage ?? null })]
}

function lastEvent({ always, lastText }: Manner, said: Record<string, unknown>): ServerEvent {
  const text = lastText === undefined ? {} : { text: lastText }
  return { data: { ...text, ...always, done: true, ...said } }
}
