import { v7 as newId } from 'uuid'
import { sql } from '../../lib/db'
import type { Lease } from '../../lib/replies/log'

/** A reply that was opened: its row, the message that it writes and the conversation that it hangs on. */
export type OpenRow = { replyId: string; messageId: string; conversationId: string }

/** What a message looks like when its reply has been folded into it. */
export type StoredMessage = {
  status: string
  parts: unknown
  text: string
  usage: unknown
  error: unknown
  model: string | null
  provider: string | null
  finish: string | null
}

/** Whose conversations they are: one user with one agent, made once per database. */
export async function insertReader(): Promise<{ userId: string; agentId: string }> {
  const [userId, projectId, agentId] = [newId(), newId(), newId()]
  await sql`INSERT INTO users (id, email, password_hash) VALUES (${userId}::uuid, ${`${userId}@example.com`}, '')`
  await sql`INSERT INTO projects (id, name) VALUES (${projectId}::uuid, 'p')`
  await sql`
    INSERT INTO agents (id, project_id, name, model_provider, model_name)
    VALUES (${agentId}::uuid, ${projectId}::uuid, 'a', 'demo', 'demo')`
  return { userId, agentId }
}

/** The rows of a new reply in a conversation of its own, held by this lease; one of less than 0 ms has run out. */
export async function insertReply(
  { userId, agentId }: { userId: string; agentId: string },
  { nodeId, leaseMs }: Lease,
): Promise<OpenRow> {
  const [conversationId, messageId, replyId] = [newId(), newId(), newId()]
  await sql`
    WITH c AS (
      INSERT INTO conversations (id, agent_id, user_id, title)
      VALUES (${conversationId}::uuid, ${agentId}::uuid, ${userId}::uuid, 't')
    ), m AS (
      INSERT INTO messages (id, conversation_id, role, status)
      VALUES (${messageId}::uuid, ${conversationId}::uuid, 'assistant', 'running')
    )
    INSERT INTO replies (id, conversation_id, user_id, message_id, request_id, request_hash, node_id, lease_expires_at)
    VALUES (${replyId}::uuid, ${conversationId}::uuid, ${userId}::uuid, ${messageId}::uuid, ${newId()}::uuid, '',
      ${nodeId}, now() + ${leaseMs}::int * interval '1 millisecond')`
  return { replyId, messageId, conversationId }
}

/** The message that a reply writes; null when it was deleted. */
export async function findStoredMessage(messageId: string): Promise<StoredMessage | null> {
  const [row] = await sql<StoredMessage>`
    SELECT status, parts, text, usage, error, model, provider, finish FROM messages WHERE id = ${messageId}::uuid`
  return row ?? null
}

/** Deletes a conversation with its replies, as its owner does. */
export async function deleteConversation(conversationId: string): Promise<void> {
  await sql`DELETE FROM conversations WHERE id = ${conversationId}::uuid`
}
