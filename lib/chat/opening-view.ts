import type { Actor } from '../auth'
import type { ConversationView } from '../contracts/conversations'
import { openingLength, turnGroupSize } from '../contracts/limits'
import { db } from '../db'
import { getConversationView, missing, visibleTo } from './conversations'
import { toConversationRecord, toMessageRecord, withRunning } from './records'

type Node = { id: string; parentId: string | null }

/**
 * What a chat page begins with: the end of the branch that was last read, so that a conversation of thousands of
 * messages is readable as fast as one of ten; a short one whole. `complete` says which. Throws not_found.
 */
export async function getConversationOpening(
  actor: Actor,
  conversationId: string,
): Promise<ConversationView & { complete: boolean }> {
  const row = await db().conversation.findFirst({
    where: { id: conversationId, ...visibleTo(actor) },
    include: { ...withRunning, _count: { select: { messages: true } } },
  })
  if (!row) throw missing()
  if (row._count.messages <= openingLength * 2) {
    return { ...(await getConversationView(actor, conversationId)), complete: true }
  }
  const nodes = await db().message.findMany({
    where: { conversationId },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true, parentId: true },
  })
  const path = readBranch(nodes, row.currentMessageId)
  const begin = Math.max(0, Math.floor((path.length - openingLength) / turnGroupSize) * turnGroupSize)
  const messages = await db().message.findMany({
    where: { id: { in: path.slice(begin) } },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  })
  return {
    conversation: toConversationRecord(row),
    messages: messages.map(toMessageRecord),
    running_reply_id: row.replies[0]?.id ?? null,
    complete: false,
  }
}

/** Ids from the first message to the end of the branch through `currentId`, the newest turn at every fork. */
function readBranch(nodes: Node[], currentId: string | null): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  // Oldest first, so the last one written is the newest child.
  const newestChild = new Map(nodes.map((node) => [node.parentId, node]))
  let leaf = currentId === null ? undefined : byId.get(currentId)
  for (let next = newestChild.get(leaf?.id ?? null); next; next = newestChild.get(next.id)) leaf = next
  const path: string[] = []
  for (let node = leaf; node; node = node.parentId === null ? undefined : byId.get(node.parentId))
    path.push(node.id)
  return path.reverse()
}
