import { LRUCache } from 'lru-cache'
import { sql } from '../db'
import { log } from '../log'
import { remember } from '../remember'

/** As many bytes of responses are kept here for one user, the newest of them. */
const quotaBytes = 1024 ** 3
/** Looked after whenever so much of that came to it. */
const step = 1 / 16
const mostUsers = 10_000

const unchecked = () =>
  remember('gateway.kept.unchecked', () => new LRUCache<string, number>({ max: mostUsers }))

/** So much more is kept for a user: what is beyond a gigabyte by now goes, the oldest first. */
export function noteKept(userId: string, bytes: number, mostBytes = quotaBytes): void {
  const stepBytes = mostBytes * step
  // A user who was not seen here before may have filled it elsewhere.
  const sum = (unchecked().get(userId) ?? stepBytes) + bytes
  unchecked().set(userId, sum < stepBytes ? sum : 0)
  if (sum < stepBytes) return
  trimKept(userId, mostBytes).catch((err: unknown) => log().warn({ err }, 'old responses were not trimmed'))
}

/** Deletes the oldest responses that are kept here for a user beyond so many bytes, as they lie in the database. */
export async function trimKept(userId: string, mostBytes: number): Promise<void> {
  await sql`
    DELETE FROM gateway_responses WHERE id IN (
      SELECT id FROM (
        SELECT id, status, sum(pg_column_size(body) + coalesce(pg_column_size(input), 0))
          OVER (ORDER BY created_at DESC, id DESC) AS total
        FROM gateway_responses WHERE user_id = ${userId}::uuid AND body IS NOT NULL) AS kept
      WHERE total > ${mostBytes}::bigint AND status NOT IN ('queued', 'in_progress'))`
}
