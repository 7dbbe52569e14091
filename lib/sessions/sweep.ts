import { sql } from '../db'
import type { OpenSession } from './rows'
import { endSession } from './stop'

/** Nobody has heard of it for so long: the browser crashed, or the client never stops. */
const silentAfterMs = 24 * 3_600_000
const batch = 100

type SilentSession = OpenSession & { lastSignAt: Date }

/**
 * Ends sessions that nobody stopped and that were silent for a day, as of the last thing that their user said in that
 * day. Returns how many.
 */
export async function endSilentSessions(now = new Date(), silentMs = silentAfterMs): Promise<number> {
  let ended = 0
  for (;;) {
    const silent = await findSilent(silentMs)
    const endedBefore = ended
    for (const session of silent) {
      const stop = { at: now, said: {}, endedBy: 'silence' as const, stoppedAt: session.lastSignAt }
      if (await endSession(session, stop)) ended += 1
    }
    if (silent.length < batch || ended === endedBefore) return ended
  }
}

function findSilent(silentMs: number): Promise<SilentSession[]> {
  return sql<SilentSession>`
    SELECT s.id, s.user_id AS "userId", s.moment, s.ordinal, s.username, s.started_at AS "startedAt",
      s.event_count AS "eventCount", s.metrics,
      greatest(s.last_seen_at, (
        SELECT max(m.created_at) FROM conversations c JOIN messages m ON m.conversation_id = c.id
        WHERE c.user_id = s.user_id AND c.last_activity_at >= s.last_seen_at AND m.created_at >= s.last_seen_at
          AND m.created_at <= s.last_seen_at + ${silentMs}::int * interval '1 millisecond'
      )) AS "lastSignAt"
    FROM chat_sessions s
    WHERE s.status = 'open'
      AND s.last_seen_at < clock_timestamp() - ${silentMs}::int * interval '1 millisecond'
    ORDER BY s.last_seen_at LIMIT ${batch}::int`
}
