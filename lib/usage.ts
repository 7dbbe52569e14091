import { v7 as newId } from 'uuid'
import type { Actor } from './auth'
import type { DayOfUse } from './contracts/usage'
import { db, sql } from './db'
import { countCall } from './metrics'
import { costOf } from './usage/cost'
import { dayMs } from './usage/period'
import { findPrice } from './usage/prices'

export { exportUsage } from './usage/csv'
export { listPrices, setPrice } from './usage/prices'
export { listUsageByDay, summarizeUsage } from './usage/sums'
export { listTraffic } from './usage/traffic'

/** The surface that a call came by: our own pages, the portal's API, or the gateway in OpenAI's dialect. */
type Surface = 'page' | 'api' | 'gateway'

export type UsageRecord = {
  userId: string | null
  projectId?: string | null
  agentId?: string | null
  replyId?: string | null
  surface: Surface
  /** The API key that the caller came with, if any. */
  keyId: string | null
  provider: 'openai' | 'openai-compatible' | 'anthropic' | 'demo'
  model: string
  /** Where the provider's key came from: `papita`, `user`, `project`, `global`, `environment`, `demo`. */
  keySource: string
  /** Which of the vault's keys served, and what it is called now. */
  credentialId: string | null
  credentialLabel: string | null
  inputTokens: number
  /** Part of the input tokens. */
  cachedTokens?: number
  outputTokens: number
  /** Part of the output tokens. */
  reasoningTokens?: number
  /** True where the provider told no figures and they were estimated from the text. */
  estimated?: boolean
  firstTokenMs?: number | null
  durationMs: number
  outcome: 'completed' | 'stopped' | 'interrupted' | 'failed'
}

const maxModelLength = 200
const maxWhole = 2 ** 31 - 1

/** What a server says of itself may be anything; the ledger takes whole numbers that it can add up. */
function toWhole(given: number): number {
  return Number.isFinite(given) ? Math.min(maxWhole, Math.max(0, Math.round(given))) : 0
}

/**
 * Writes down one upstream call, with what it costs by today's prices. A reply is counted once, however often this is
 * called for it; false if it was already.
 */
export async function recordUsage(entry: UsageRecord): Promise<boolean> {
  const { userId, surface, keyId, provider, keySource, credentialId, credentialLabel, outcome } = entry
  const { projectId = null, agentId = null, replyId = null, estimated = false } = entry
  const model = entry.model.slice(0, maxModelLength).toWellFormed().replaceAll('\0', '')
  const inputTokens = toWhole(entry.inputTokens)
  const cachedTokens = Math.min(inputTokens, toWhole(entry.cachedTokens ?? 0))
  const outputTokens = toWhole(entry.outputTokens)
  const reasoningTokens = toWhole(entry.reasoningTokens ?? 0)
  const firstTokenMs = entry.firstTokenMs == null ? null : toWhole(entry.firstTokenMs)
  const durationMs = toWhole(entry.durationMs)
  const price = await findPrice(provider, model)
  const costUsd = price && costOf(price, { inputTokens, cachedTokens, outputTokens })
  const written = await sql`
    INSERT INTO usage_entries
      (id, user_id, project_id, agent_id, reply_id, surface, key_id, provider, model, key_source, credential_id,
       credential_label, input_tokens, cached_tokens, output_tokens, reasoning_tokens, estimated, first_token_ms,
       duration_ms, outcome, cost_usd)
    VALUES (${newId()}::uuid, ${userId}::uuid, ${projectId}::uuid, ${agentId}::uuid, ${replyId}::uuid, ${surface},
      ${keyId}::uuid, ${provider}, ${model}, ${keySource}, ${credentialId}::uuid, ${credentialLabel}::text,
      ${inputTokens}::int, ${cachedTokens}::int, ${outputTokens}::int, ${reasoningTokens}::int,
      ${estimated}::boolean, ${firstTokenMs}::int, ${durationMs}::int, ${outcome}, ${costUsd}::numeric)
    ON CONFLICT (reply_id) DO NOTHING RETURNING 1`
  const isNew = written.length === 1
  const tokens = { inputTokens, cachedTokens, outputTokens, reasoningTokens }
  if (isNew) countCall({ surface, provider, outcome, ...tokens, costUsd, firstTokenMs, durationMs })
  return isNew
}

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
