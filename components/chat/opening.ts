import type { ConversationView, FilePart, MessageRecord } from '@/lib/contracts/conversations'
import { openingLength } from '@/lib/contracts/limits'
import { newestLeaf, pathTo, plantTree } from './message-tree'
import { groupSize } from './turns'

/** What the chat page begins with. */
export type OpeningView = ConversationView & {
  /** False when only the end of a long branch came with the page; the rest is then fetched. */
  complete: boolean
  /** When the server read it, in milliseconds since 1970. */
  loadedAt: number
}

/**
 * The end of the branch that was last read, so that a conversation of thousands of messages is
 * readable as fast as one of ten. Short conversations go whole.
 */
export function cutOpening(view: ConversationView, loadedAt: number): OpeningView {
  if (view.messages.length <= openingLength * 2) return { ...view, complete: true, loadedAt }
  const tree = plantTree(view.messages)
  const current = view.conversation.current_message_id
  const leaf = newestLeaf(tree, current !== null && tree.byId.has(current) ? current : null)
  const path = pathTo(tree, leaf)
  // Cut where a group begins, so that nothing is drawn again when the rest arrives.
  const begin = Math.max(0, Math.floor((path.length - openingLength) / groupSize) * groupSize)
  return { ...view, messages: path.slice(begin), complete: false, loadedAt }
}

/** What a message looks like from the moment at which it is sent until the server confirms it. */
export function draftMessage(
  fields: Pick<MessageRecord, 'id' | 'parent_id' | 'role' | 'text'>,
  files: readonly FilePart[] = [],
): MessageRecord {
  return {
    ...fields,
    status: fields.role === 'user' ? 'completed' : 'running',
    parts: [...files, ...(fields.text === '' ? [] : [{ type: 'text' as const, text: fields.text }])],
    created_at: new Date().toISOString(),
  }
}
