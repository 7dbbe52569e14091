import type { Actor } from '../auth'
import type { TrafficEntry } from '../contracts/keys'
import type { Listing } from '../contracts/primitives'
import { db, type Prisma } from '../db'
import { AppError } from '../errors'
import { type PageRequest, readCursor, toListing, writeCursor } from '../paging'

type UsageRow = Prisma.UsageEntryGetPayload<object>

/**
 * The calls of one of the actor's API keys as the ledger has them, the newest first; of a key that was revoked, too.
 * Throws not_found, and invalid_input for a bad cursor.
 */
export async function listTraffic(
  actor: Actor,
  keyId: string,
  page: PageRequest,
): Promise<Listing<TrafficEntry>> {
  const place = readCursor(page.cursor)
  const { userId } = actor
  const key = await db().apiKey.findFirst({ where: { id: keyId, userId }, select: { id: true } })
  if (!key) throw new AppError('not_found', 'There is no such API key, or it is not yours.')
  // Ids are UUIDv7: in their order, calls were written down.
  const rows = await db().usageEntry.findMany({
    where: { keyId, userId, ...(place && { id: { lt: place.id } }) },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, { record: toTrafficEntry, cursor: writeCursor })
}

function toTrafficEntry(row: UsageRow): TrafficEntry {
  return {
    id: row.id,
    at: row.at.toISOString(),
    endpoint: row.endpoint,
    model: row.model,
    provider: row.provider,
    credential_label: row.credentialLabel,
    status: row.status,
    outcome: row.outcome as TrafficEntry['outcome'],
    input_tokens: row.inputTokens,
    cached_tokens: row.cachedTokens,
    output_tokens: row.outputTokens,
    estimated: row.estimated,
    cost_usd: row.costUsd?.toNumber() ?? null,
    first_token_ms: row.firstTokenMs,
    duration_ms: row.durationMs,
    retries: row.retries,
    cache: row.cache as TrafficEntry['cache'],
    request_id: row.requestId,
  }
}
