import { v7 as newId } from 'uuid'
import { sql } from '../db'
import { countCall } from '../metrics'
import { costOf, type Tokens } from './cost'
import { type LedgerEntry, toLedgerEntry, type UsageRecord } from './entry'
import { dropLease } from './leases'
import { findPrice } from './prices'

/**
 * Writes down one upstream call, with what it costs by today's prices, and takes that into its key's meter instead of
 * what was set aside for it, all in one statement. A call is counted once, by its reply or its reservation, however
 * often this is called for it; false if it was already.
 */
export async function recordUsage(record: UsageRecord): Promise<boolean> {
  const id = record.reservation?.id ?? record.replyId ?? newId()
  try {
    return await writeEntry({ id, openedAt: record.reservation?.openedAt ?? null }, toLedgerEntry(record))
  } finally {
    // Where that failed, nobody knows better than whoever sweeps.
    dropLease(id)
  }
}

type Call = { id: string; openedAt: Date | null; isLost?: boolean }

/** Of a call that `isLost` only if its lease has run out. */
export async function writeEntry({ id, openedAt, isLost }: Call, entry: LedgerEntry): Promise<boolean> {
  const { replyId, keyId, surface, inputTokens, outputTokens } = entry
  const price = await findPrice(entry.provider, entry.model)
  const costUsd = price && costOf(price, entry)
  const call = JSON.stringify({
    id,
    reply_id: replyId,
    key_id: keyId,
    surface,
    opened_at: openedAt,
    tokens: inputTokens + outputTokens,
    cost_usd: costUsd,
  })
  const written = await sql`
    INSERT INTO usage_entries
      (id, at, key_id, surface, user_id, project_id, agent_id, reply_id, provider, model, key_source, credential_id,
       credential_label, input_tokens, cached_tokens, output_tokens, reasoning_tokens, estimated, first_token_ms,
       duration_ms, outcome, cost_usd, endpoint, status, retries, cache, request_id)
    SELECT ${id}::uuid, s.at, s.key_id, s.surface, ${entry.userId}::uuid, ${entry.projectId}::uuid,
      ${entry.agentId}::uuid, ${replyId}::uuid, ${entry.provider}, ${entry.model}, ${entry.keySource},
      ${entry.credentialId}::uuid, ${entry.credentialLabel}::text, ${inputTokens}::int, ${entry.cachedTokens}::int,
      ${outputTokens}::int, ${entry.reasoningTokens}::int, ${entry.estimated}::boolean, ${entry.firstTokenMs}::int,
      ${entry.durationMs}::int, ${entry.outcome}, ${costUsd}::numeric, ${entry.endpoint}::text,
      ${entry.status}::int, ${entry.retries}::int, ${entry.cache}::text, ${entry.requestId}::text
    FROM settle_use(${call}::jsonb, ${isLost ?? false}::boolean) s
    ON CONFLICT DO NOTHING RETURNING 1`
  const isNew = written.length === 1
  if (isNew) countCall({ ...entry, costUsd })
  return isNew
}

/** What such a use costs now, in US dollars with twelve digits behind the point; null where nobody knows the price. */
export async function findCost(
  provider: UsageRecord['provider'],
  model: string,
  { cachedTokens = 0, ...tokens }: Omit<Tokens, 'cachedTokens'> & { cachedTokens?: number },
): Promise<string | null> {
  const price = await findPrice(provider, model)
  return price && costOf(price, { ...tokens, cachedTokens })
}
