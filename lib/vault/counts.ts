import { sql } from '../db'
import { noticeMs } from './concerns'

type KeyCounts = { good: number; expiring: number; failing: number; expired: number }

/** How many keys of the vault are in each state, for those who run the server. */
export async function countKeys(): Promise<KeyCounts> {
  const soon = new Date(Date.now() + noticeMs)
  const [row] = await sql<KeyCounts>`
    SELECT
      (count(*) FILTER (WHERE expires_at <= now()))::int AS expired,
      (count(*) FILTER (WHERE (expires_at > now() OR expires_at IS NULL) AND failure IS NOT NULL))::int AS failing,
      (count(*) FILTER (WHERE expires_at > now() AND expires_at <= ${soon}::timestamptz
        AND failure IS NULL))::int AS expiring,
      (count(*) FILTER (WHERE (expires_at > ${soon}::timestamptz OR expires_at IS NULL)
        AND failure IS NULL))::int AS good
    FROM credentials`
  return row ?? { good: 0, expiring: 0, failing: 0, expired: 0 }
}
