import type { MessageRecord } from '@/lib/contracts/conversations'

/** All messages of a conversation by id; a conversation is a tree, and every edit or second answer a branch. */
export type MessageTree = {
  byId: ReadonlyMap<string, MessageRecord>
  /** Children of each message, oldest first; the roots are under `null`. */
  children: ReadonlyMap<string | null, readonly string[]>
}

const byAge = (a: MessageRecord, b: MessageRecord): number =>
  a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id < b.id ? -1 : 1

/** Builds the tree. A message whose parent is not there counts as a root, so that nothing is ever unreachable. */
export function plantTree(messages: Iterable<MessageRecord>): MessageTree {
  const sorted = [...messages].sort(byAge)
  const byId = new Map(sorted.map((message) => [message.id, message]))
  const children = new Map<string | null, string[]>()
  for (const message of byId.values()) {
    const parent = message.parent_id !== null && byId.has(message.parent_id) ? message.parent_id : null
    const siblings = children.get(parent)
    if (siblings) siblings.push(message.id)
    else children.set(parent, [message.id])
  }
  return { byId, children }
}

/** The tree with these messages added or replaced; the same tree when there are none. */
export function graft(tree: MessageTree, messages: readonly MessageRecord[]): MessageTree {
  if (messages.length === 0) return tree
  const merged = new Map(tree.byId)
  for (const message of messages) merged.set(message.id, message)
  return plantTree(merged.values())
}

/** The tree without one message. Its children, if any, become roots. */
export function prune(tree: MessageTree, messageId: string): MessageTree {
  if (!tree.byId.has(messageId)) return tree
  return plantTree([...tree.byId.values()].filter(({ id }) => id !== messageId))
}

/** The messages from the first one to `leafId`, in the order in which they are read. */
export function pathTo(tree: MessageTree, leafId: string | null): MessageRecord[] {
  const path: MessageRecord[] = []
  const seen = new Set<string>()
  let message = leafId === null ? undefined : tree.byId.get(leafId)
  while (message && !seen.has(message.id)) {
    seen.add(message.id)
    path.push(message)
    message = message.parent_id === null ? undefined : tree.byId.get(message.parent_id)
  }
  return path.reverse()
}

/** Where a branch that goes through `messageId` ends, taking the newest turn at every fork. */
export function newestLeaf(tree: MessageTree, messageId: string | null): string | null {
  let leaf = messageId
  const seen = new Set<string | null>([null, messageId])
  for (
    let next = tree.children.get(leaf)?.at(-1);
    next !== undefined;
    next = tree.children.get(leaf)?.at(-1)
  ) {
    if (seen.has(next)) break
    seen.add(next)
    leaf = next
  }
  return leaf
}

/** The versions of one turn: ids of all siblings, and which of them this is (from 0). */
export function versionsOf(
  tree: MessageTree,
  message: MessageRecord,
): { ids: readonly string[]; index: number } {
  const parent = message.parent_id !== null && tree.byId.has(message.parent_id) ? message.parent_id : null
  const siblings = tree.children.get(parent) ?? [message.id]
  const sameRole = siblings.filter((id) => tree.byId.get(id)?.role === message.role)
  return { ids: sameRole, index: sameRole.indexOf(message.id) }
}
