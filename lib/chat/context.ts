import type { Actor } from '../auth'
import type { AgentRecord } from '../contracts/projects'
import { sql } from '../db'
import type { ModelMessage } from '../providers'
import { missing } from './conversations'

/** What of an agent decides how it answers. */
export type AnsweringAgent = Pick<
  AgentRecord,
  | 'id'
  | 'project_id'
  | 'system_prompt'
  | 'model_provider'
  | 'model_name'
  | 'temperature'
  | 'max_output_tokens'
  | 'reasoning_effort'
  | 'background'
>

/** Who answers, and what was said so far, the newest last. */
export type Context = { agent: AnsweringAgent; messages: ModelMessage[] }

/** How much of a conversation a model is told, in characters; the newest messages first. */
const maxHistoryLength = 600_000
const maxHistoryMessages = 400

/** The agent of a conversation and what was said up to a message, with that one. Throws not_found. */
export async function readContext(
  actor: Actor,
  conversationId: string,
  leafId: string | null,
): Promise<Context> {
  const [agent, messages] = await Promise.all([
    readAgent(actor, conversationId),
    leafId === null ? [] : readHistory(conversationId, leafId),
  ])
  return { agent, messages }
}

async function readAgent(actor: Actor, conversationId: string): Promise<AnsweringAgent> {
  const [agent] = await sql<AnsweringAgent>`
    SELECT a.id, a.project_id, a.system_prompt, a.model_provider, a.model_name, a.temperature,
      a.max_output_tokens, a.reasoning_effort, a.background
    FROM conversations c
    JOIN agents a ON a.id = c.agent_id
    JOIN project_members m ON m.project_id = a.project_id AND m.user_id = c.user_id
    WHERE c.id = ${conversationId}::uuid AND c.user_id = ${actor.userId}::uuid`
  if (!agent) throw missing()
  return agent
}

type Line = { role: string; text: string }

async function readHistory(conversationId: string, leafId: string): Promise<ModelMessage[]> {
  const lines = await sql<Line>`
    WITH RECURSIVE path AS (
      SELECT parent_id, role, text, 1 AS depth FROM messages
      WHERE id = ${leafId}::uuid AND conversation_id = ${conversationId}::uuid
      UNION ALL
      SELECT m.parent_id, m.role, m.text, p.depth + 1
      FROM messages m JOIN path p ON m.id = p.parent_id
      WHERE p.depth < ${maxHistoryMessages}::int
    )
    SELECT role, text FROM path WHERE text <> '' ORDER BY depth`
  let length = 0
  const newest = lines.filter(({ text }, index) => {
    length += text.length
    return index === 0 || length <= maxHistoryLength
  })
  return newest
    .reverse()
    .map(({ role, text }) => ({ role: role === 'assistant' ? 'assistant' : 'user', text }))
}
