import type { Actor } from '../auth'
import { type JsonObject, maxSaidBytes } from '../contracts/sessions'
import { sql } from '../db'
import { AppError } from '../errors'
import { readSessionName } from './clock'

/** How often a name, or a millisecond, is looked for that nobody has. */
export const maxTries = 20

export type SessionRow = {
  id: string
  userId: string
  moment: string
  ordinal: number
  username: string
  status: string
  startedAt: Date
  eventCount: number
  metrics: JsonObject
  durationSeconds: number | null
  finalMetrics: JsonObject | null
  lastLineAt: Date | null
  /** By the database's clock. */
  now: Date
}
export type OpenSession = Pick<
  SessionRow,
  'id' | 'userId' | 'moment' | 'ordinal' | 'username' | 'startedAt' | 'eventCount' | 'metrics'
>

/** A session of the actor's by its public id. Throws not_found. */
export async function getSession({ userId, boundTo, keyId }: Actor, name: string): Promise<SessionRow> {
  const place = readSessionName(name)
  const [row] = place
    ? await sql<SessionRow>`
        SELECT id, user_id AS "userId", moment, ordinal, username, status, started_at AS "startedAt",
          event_count AS "eventCount", metrics, duration_seconds AS "durationSeconds",
          final_metrics AS "finalMetrics", clock_timestamp() AS now,
          (SELECT max(at) FROM chat_session_lines l WHERE l.session_id = s.id) AS "lastLineAt"
        FROM chat_sessions s
        WHERE moment = ${place.moment} AND ordinal = ${place.ordinal}::int AND user_id = ${userId}::uuid
          AND (${boundTo}::uuid IS NULL OR key_id = ${keyId}::uuid) AND status <> 'opening'`
    : []
  if (!row) throw new AppError('not_found', 'This session is not there, or not yours.')
  return row
}

/** Clocks are set by less than this; who is further back than the last line is believed. */
const clockSlackMs = 1000

/**
 * The time of the session's next line: now, but after its last one, since a session has no two lines of one millisecond.
 * The more often it was taken by somebody else, the further away.
 */
export function timeOfLine({ lastLineAt }: Pick<SessionRow, 'lastLineAt'>, now: Date, tries: number): Date {
  const aheadMs = (lastLineAt?.getTime() ?? 0) - now.getTime()
  const isTaken = aheadMs >= 0 && aheadMs < clockSlackMs
  const stepMs = tries === 0 ? 1 : 1 + Math.floor(Math.random() * tries * 4)
  if (isTaken) return new Date(now.getTime() + aheadMs + stepMs)
  return tries === 0 ? now : new Date(now.getTime() + stepMs)
}

/** Throws too_large. */
export function requireSmall(metrics: JsonObject): void {
  if (Buffer.byteLength(JSON.stringify(metrics)) <= maxSaidBytes) return
  throw new AppError('too_large', 'The metrics of a session are at most 16 KB of JSON all in all.')
}

/** The answer where everybody wants the same at once. */
export function busy(): AppError {
  return new AppError('unavailable', 'Too much happens to sessions at this moment. Try again.', {
    retryAfterSeconds: 1,
  })
}
