import { v7 as newId } from 'uuid'
import type { Actor } from './auth'
import type { DayOfUse } from './contracts/usage'
import { db, sql } from './db'

export type UsageRecord = {
  userId: string | null
  projectId?: string | null
  agentId?: string | null
  replyId?: string | null
  provider: string
  model: string
  /** Where the key came from: `papita`, `user`, `project`, `global`, `environment`, `demo`. */
  keySource: string
  inputTokens: number
  cachedTokens?: number
  outputTokens: number
  reasoningTokens?: number
  /** True where the provider told no figures and they were estimated from the text. */
  estimated?: boolean
  firstTokenMs?: number | null
  durationMs: number
  outcome: 'completed' | 'stopped' | 'interrupted' | 'failed'
}

/** Writes down one upstream call. A reply is counted once, however often this is called for it; false if it was already. */
export async function recordUsage(entry: UsageRecord): Promise<boolean> {
  const { userId, provider, model, keySource, inputTokens, outputTokens, durationMs, outcome } = entry
  const { projectId = null, agentId = null, replyId = null, firstTokenMs = null } = entry
  const { cachedTokens = 0, reasoningTokens = 0, estimated = false } = entry
  const written = await sql`
    INSERT INTO usage_entries
      (id, user_id, project_id, agent_id, reply_id, provider, model, key_source, input_tokens, cached_tokens,
       output_tokens, reasoning_tokens, estimated, first_token_ms, duration_ms, outcome)
    VALUES (${newId()}::uuid, ${userId}::uuid, ${projectId}::uuid, ${agentId}::uuid, ${replyId}::uuid, ${provider},
      ${model}, ${keySource}, ${inputTokens}::int, ${cachedTokens}::int, ${outputTokens}::int,
      ${reasoningTokens}::int, ${estimated}::boolean, ${firstTokenMs}::int, ${durationMs}::int, ${outcome})
    ON CONFLICT (reply_id) DO NOTHING RETURNING 1`
  return written.length === 1
}

const dayMs = 86_400_000
const daysShown = 7

type DayRow = { day: string; requests: number; tokens: number }

/** The actor's own use on each of the last seven days, in UTC, the oldest first and today last. */
export async function summarizeWeek(actor: Actor): Promise<DayOfUse[]> {
  const today = Math.floor(Date.now() / dayMs) * dayMs
  const days = Array.from({ length: daysShown }, (_, index) => today - (daysShown - 1 - index) * dayMs)
  const since = new Date(days[0] ?? today)
  const rows = await db().$queryRaw<DayRow[]>`
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
           count(*)::int AS requests, sum(input_tokens::bigint + output_tokens)::float8 AS tokens
    FROM usage_entries WHERE user_id = ${actor.userId}::uuid AND at >= ${since} GROUP BY 1`
  const found = new Map(rows.map((row) => [row.day, row]))
  return days.map((time) => {
    const day = new Date(time).toISOString().slice(0, 10)
    return { day, requests: found.get(day)?.requests ?? 0, tokens: found.get(day)?.tokens ?? 0 }
  })
}
