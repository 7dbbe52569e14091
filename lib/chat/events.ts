import type { Actor } from '../auth'
import { hasAccess, onAccessChange } from '../auth'
import type { Follows, LiveEvent } from '../contracts/events'
import { asAppError } from '../errors'
import { findReplyMessages, type NumberedEvent, readAnswer } from './follow'
import { mergePieces } from './merge'
import { ChangedConversations, tellConversations } from './news'
import { requireSeat, takeSeat } from './seats'

/** Nobody listens for longer than this without being asked again who they are. */
const maxAgeMs = 3_600_000

/**
 * All that one browser of the actor's hears: news of conversations, and the events of these answers from where it left
 * off. Ends when what the actor may do has changed, and after an hour; the reader comes back and is told anew.
 * Throws too_many_requests before anything is sent.
 */
export function followEvents(
  actor: Actor,
  follows: Follows,
): (signal: AbortSignal) => AsyncIterable<{ event: LiveEvent['type']; data: LiveEvent['data'] }[]> {
  requireSeat(actor)
  for (const [replyId] of follows) requireSeat(actor, replyId)
  return async function* open(signal) {
    for await (const events of tellAll(actor, follows, signal))
      yield events.map(({ type, data }) => ({ event: type, data }))
  }
}

async function* tellAll(actor: Actor, follows: Follows, gone: AbortSignal): AsyncGenerator<LiveEvent[]> {
  const leave = takeSeat(actor)
  const ended = new AbortController()
  const end = () => ended.abort()
  const age = setTimeout(end, maxAgeMs).unref()
  const stopListening = onAccessChange(actor, end)
  const changes = new ChangedConversations(actor.userId, end)
  try {
    // What changed between the request and here was announced before anyone listened.
    if (!(await hasAccess(actor))) return
    const messages = await findReplyMessages(
      actor,
      follows.map(([replyId]) => replyId),
    )
    yield [{ type: 'hello', data: { user_id: actor.userId } }]
    const signal = AbortSignal.any([gone, ended.signal])
    const answers = follows.map(([replyId, after]) =>
      tellAnswer(actor, { replyId, messageId: messages.get(replyId), after }, signal),
    )
    yield* mergePieces([tellConversations(actor, changes, signal), ...answers], signal)
  } finally {
    end()
    clearTimeout(age)
    changes.close()
    stopListening()
    leave()
  }
}

type Wanted = { replyId: string; messageId: string | undefined; after: number }

/** An answer that is not the actor's, or gone, is told as such; the others go on. */
async function* tellAnswer(
  actor: Actor,
  { replyId, messageId, after }: Wanted,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent[]> {
  const gone: LiveEvent[] = [{ type: 'reply_gone', data: { reply_id: replyId } }]
  if (messageId === undefined) return yield gone
  try {
    for await (const events of readAnswer(actor, { replyId, messageId, after }, signal))
      yield events.map((event) => toLiveEvent(replyId, event))
  } catch (error) {
    const { code } = asAppError(error)
    if (code !== 'not_found' && code !== 'conflict') throw error
    yield gone
  }
}

function toLiveEvent(replyId: string, { id, event, data }: NumberedEvent): LiveEvent {
  return { type: 'reply', data: { reply_id: replyId, seq: id, type: event, data } } as LiveEvent
}
