import type { Actor } from '../auth'
import type { FilePart, MessagePart } from '../contracts/conversations'
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

/** How much of a conversation a model is told, in characters; the newest messages first. */
const maxHistoryLength = 600_000
const maxHistoryMessages = 400

/** The agent that answers in a conversation. Throws not_found. */
export async function getAnsweringAgent(actor: Actor, conversationId: string): Promise<AnsweringAgent> {
  const [agent] = await sql<AnsweringAgent>`
    SELECT a.id, a.project_id, a.system_prompt, a.model_provider, a.model_name, a.temperature,
      a.max_output_tokens, a.reasoning_effort, a.background
    FROM conversations c
    JOIN agents a ON a.id = c.agent_id
    JOIN project_members m ON m.project_id = a.project_id AND m.user_id = c.user_id
    WHERE c.id = ${conversationId}::uuid AND c.user_id = ${actor.userId}::uuid
      AND m.project_id = coalesce(${actor.boundTo}::uuid, m.project_id)`
  if (!agent) throw missing()
  return agent
}

type Line = { role: string; text: string; parts: MessagePart[] | null }

/** A message of the past, and the files that came with it. */
export type Told = ModelMessage & { attached?: FilePart[] }

/** What was said in a conversation up to a message, with that one, oldest first; nothing before the first message. */
export async function readHistory(conversationId: string, leafId: string | null): Promise<Told[]> {
  if (leafId === null) return []
  const lines = await sql<Line>`
    WITH RECURSIVE path AS (
      SELECT parent_id, role, text, parts, 1 AS depth FROM messages
      WHERE id = ${leafId}::uuid AND conversation_id = ${conversationId}::uuid
      UNION ALL
      SELECT m.parent_id, m.role, m.text, m.parts, p.depth + 1
      FROM messages m JOIN path p ON m.id = p.parent_id
      WHERE p.depth < ${maxHistoryMessages}::int
    )
    SELECT role, text, CASE WHEN role = 'user' AND parts->0->>'type' = 'file' THEN parts END AS parts
    FROM path WHERE text <> '' OR (role = 'user' AND parts <> '[]') ORDER BY depth`
  let length = 0
  const newest = lines.filter(({ text }, index) => {
    length += text.length
    return index === 0 || length <= maxHistoryLength
  })
  return newest.reverse().map(toTold)
}

function toTold({ role, text, parts }: Line): Told {
  const told: Told = { role: role === 'assistant' ? 'assistant' : 'user', text }
  return parts ? { ...told, attached: filesIn(parts) } : told
}

/** The files among the parts of a message. */
export function filesIn(parts: MessagePart[]): FilePart[] {
  return parts.filter((part) => part.type === 'file')
}
