import type { MessagePart, MessageRecord } from '@/lib/contracts/conversations'

/** What has arrived of one running reply. */
export type LiveReply = { text: string; reasoning: string }

/**
 * The text of running replies, beside the reducer: it changes a hundred times a second, and only
 * the answer that it belongs to should notice. Subscribers are told once per painted frame.
 */
export type LiveText = {
  get(messageId: string): LiveReply
  subscribe(messageId: string, onChange: () => void): () => void
  append(messageId: string, kind: 'text' | 'reasoning', text: string): void
  /** Forgets what arrived, as when a reply is replayed from its first frame. */
  clear(messageId: string): void
}

const nothing: LiveReply = { text: '', reasoning: '' }

/** Makes the store. `schedule` runs a task before the next paint (requestAnimationFrame). */
export function createLiveText(schedule: (task: () => void) => void): LiveText {
  const arrived = new Map<string, LiveReply>()
  const listeners = new Map<string, Set<() => void>>()
  const changed = new Set<string>()

  function publish(): void {
    const ids = [...changed]
    changed.clear()
    for (const id of ids) for (const listener of listeners.get(id) ?? []) listener()
  }

  function touch(messageId: string): void {
    if (changed.size === 0) schedule(publish)
    changed.add(messageId)
  }

  return {
    get: (messageId) => arrived.get(messageId) ?? nothing,
    subscribe(messageId, onChange) {
      const known = listeners.get(messageId) ?? new Set()
      listeners.set(messageId, known.add(onChange))
      return () => {
        known.delete(onChange)
      }
    },
    append(messageId, kind, text) {
      const before = arrived.get(messageId) ?? nothing
      arrived.set(messageId, { ...before, [kind]: before[kind] + text })
      touch(messageId)
    },
    clear(messageId) {
      if (arrived.delete(messageId)) touch(messageId)
    },
  }
}

/** What a message holds whose reply is gone: all that was seen of it stays. */
export function whatArrived(live: LiveText, messageId: string): Pick<MessageRecord, 'text' | 'parts'> {
  const { text, reasoning } = live.get(messageId)
  const parts: MessagePart[] = [
    { type: 'reasoning', text: reasoning },
    { type: 'text', text },
  ]
  return { text, parts: parts.filter((part) => 'text' in part && part.text !== '') }
}

/** The reasoning in a stored message. */
export function reasoningOf(parts: readonly MessagePart[]): string {
  return parts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('')
}
