import type { Actor } from '../auth'
import type { ConversationRecord } from '../contracts/conversations'
import type { LiveEvent } from '../contracts/events'
import { findConversations } from './conversations'
import { hearConversations } from './feed'

/** So many changed conversations are read and told at once. */
const maxTold = 50
/** A reader who is further behind than this is better off with the list. */
const maxChanged = 500

/**
 * Which of a user's conversations changed and were not told yet: each once, however often it changed.
 * `onOverflow` is called when there are too many.
 */
export class ChangedConversations {
  private readonly changed = new Set<string>()
  private readonly unsubscribe: () => void
  private wake: () => void = () => {}

  constructor(userId: string, onOverflow: () => void) {
    this.unsubscribe = hearConversations(userId, (id) => {
      this.changed.add(id)
      if (this.changed.size > maxChanged) onOverflow()
      this.wake()
    })
  }

  /** Waits for changes; an empty list when the signal has fired. */
  async next(signal: AbortSignal): Promise<string[]> {
    const stop = () => this.wake()
    signal.addEventListener('abort', stop)
    while (this.changed.size === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    signal.removeEventListener('abort', stop)
    const ids = signal.aborted ? [] : [...this.changed].slice(0, maxTold)
    for (const id of ids) this.changed.delete(id)
    return ids
  }

  close(): void {
    this.unsubscribe()
  }
}

/** A stream remembers so many of the conversations that it told. */
const maxRemembered = 10_000

/**
 * The conversations as they are after each change; those that the actor does not see (any more) are told as deleted,
 * through an API key that is bound to a project only those that this stream told before: others are none of its news.
 */
export async function* tellConversations(
  actor: Actor,
  changes: ChangedConversations,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent[]> {
  const told = new Set<string>()
  for (;;) {
    const ids = await changes.next(signal)
    if (ids.length === 0) return
    const found = new Map((await findConversations(actor, ids)).map((record) => [record.id, record]))
    const events = ids
      .filter((id) => actor.boundTo === null || found.has(id) || told.has(id))
      .map((id) => toEvent(id, found.get(id)))
    for (const id of found.keys()) if (told.size < maxRemembered) told.add(id)
    if (events.length > 0) yield events
  }
}

function toEvent(id: string, data: ConversationRecord | undefined): LiveEvent {
  return data ? { type: 'conversation', data } : { type: 'conversation_deleted', data: { id } }
}
