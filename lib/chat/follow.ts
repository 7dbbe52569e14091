import type { Actor } from '../auth'
import { hasAccess, hasAccessChanged, onAccessChange } from '../auth'
import type { ReplyEvent } from '../contracts/conversations'
import { sql } from '../db'
import { AppError } from '../errors'
import { type Frame, followReply } from '../replies'
import { missing } from './conversations'
import { findMessage } from './records'
import { requireSeat, takeSeat } from './seats'

export type NumberedEvent = { id: number; event: ReplyEvent['type']; data: ReplyEvent['data'] }

/** The message that each of these replies writes; those that the actor may not see are left out. */
export async function findReplyMessages(actor: Actor, replyIds: string[]): Promise<Map<string, string>> {
  if (replyIds.length === 0) return new Map()
  const replies = await sql<{ id: string; messageId: string }>`
    SELECT r.id, r.message_id AS "messageId"
    FROM replies r
    JOIN conversations c ON c.id = r.conversation_id
    JOIN agents a ON a.id = c.agent_id
    JOIN project_members m ON m.project_id = a.project_id AND m.user_id = c.user_id
    WHERE r.id = ANY(${replyIds}::uuid[]) AND c.user_id = ${actor.userId}::uuid
      AND m.project_id = coalesce(${actor.boundTo}::uuid, m.project_id)`
  return new Map(replies.map(({ id, messageId }) => [id, messageId]))
}

/** The id of the message that a reply writes, if the actor may see it. Throws not_found. */
export async function getReplyMessage(actor: Actor, replyId: string): Promise<string> {
  const messageId = (await findReplyMessages(actor, [replyId])).get(replyId)
  if (messageId === undefined) throw new AppError('not_found', 'This answer is not there, or not yours.')
  return messageId
}

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
    const ended = new AbortController()
    const lookAgain = async () => {
      if (!(await mayFollow(actor, replyId))) ended.abort()
    }
    const stopListening = onAccessChange(actor, () => void lookAgain())
    // A signal made of two is asked anew at every look; this one is asked for every frame.
    const leave = () => ended.abort()
    signal.addEventListener('abort', leave, { once: true })
    const place = { replyId, messageId, after }
    try {
      // What changed between the request and here was announced before anyone listened.
      if (hasAccessChanged(actor)) void lookAgain()
      yield* readAnswer(actor, place, ended.signal)
    } finally {
      stopListening()
      signal.removeEventListener('abort', leave)
    }
  }
}

/** A database that does not answer ends the stream too: the reader comes back when it does. */
async function mayFollow(actor: Actor, replyId: string): Promise<boolean> {
  try {
    return (await hasAccess(actor)) && (await getReplyMessage(actor, replyId)) !== ''
  } catch {
    return false
  }
}

type Place = { replyId: string; messageId: string; after: number }

/** The events of an answer from a place on, on a seat of the actor's. Throws not_found, conflict. */
export async function* readAnswer(
  actor: Actor,
  { replyId, messageId, after }: Place,
  signal: AbortSignal,
): AsyncGenerator<NumberedEvent[]> {
  const leave = takeSeat(actor, replyId)
  try {
    for await (const frames of followReply(replyId, after, signal)) yield await toEvents(frames, messageId)
  } finally {
    leave()
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
  const message = await findMessage(messageId)
  if (!message) throw missing()
  if (type === 'completed') return { message, usage: message.usage ?? null }
  if (type === 'failed' && message.error) return { message, error: message.error }
  return { message }
}
