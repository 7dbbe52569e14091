import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor } from '../auth'
import type { JsonObject, SessionStopped, StopSession } from '../contracts/sessions'
import { sql } from '../db'
import { asAppError } from '../errors'
import { localDay, sessionName } from './clock'
import { countAnswers } from './counts'
import { formatLine } from './line'
import { type PendingLine, writePending } from './pending'
import { busy, getSession, type OpenSession, requireSmall, type SessionRow, timeOfLine } from './rows'

/** Somebody else's stop of the same session takes milliseconds; a crash in it is looked after within this. */
const stopWaitMs = 5000
const stopLookMs = 25

/**
 * Ends a session of the actor's; ending it again is the same answer. Throws not_found, too_large, storage_full,
 * unavailable.
 */
export async function stopSession(
  actor: Actor,
  { session_id: name, metrics = {} }: StopSession,
  now = new Date(),
): Promise<SessionStopped> {
  const waitUntil = performance.now() + stopWaitMs
  for (let tries = 0; performance.now() < waitUntil; tries++) {
    const session = await getSession(actor, name)
    if (session.status === 'stopped') return toStopped(name, session)
    const end = {
      at: timeOfLine(session, now, tries),
      said: metrics,
      endedBy: 'client' as const,
      stoppedAt: session.now,
    }
    const ended = session.status === 'open' ? await endSession(session, end) : null
    if (ended) return ended
    // Another stop is on its way, or a metric came in between.
    await sleep(stopLookMs)
  }
  throw busy()
}

type End = { at: Date; said: JsonObject; endedBy: 'client' | 'silence'; stoppedAt: Date }

/** Ends an open session as it was read; null if something happened to it since. Throws as stopSession does. */
export async function endSession(session: OpenSession, end: End): Promise<SessionStopped | null> {
  const { id, userId, startedAt, username } = session
  const { at, said, endedBy, stoppedAt } = end
  requireSmall({ ...session.metrics, ...said })
  const counted = await countAnswers({ userId, from: startedAt, to: stoppedAt })
  const durationSeconds = Math.max(0, stoppedAt.getTime() - startedAt.getTime()) / 1000
  const metrics = { ...counted, ...session.metrics, ...said }
  const name = sessionName(session)
  const line = formatLine({
    event: 'session_stop',
    sessionName: name,
    at,
    username,
    durationSeconds,
    metrics,
  })
  const place = { sessionId: id, at, day: localDay(at) }
  const pending: PendingLine = { ...place, event: 'session_stop', line, metrics: said }
  const facts = { stoppedAt, endedBy, durationSeconds, counted, metrics, eventCount: session.eventCount }
  if (!(await storeStop(pending, facts))) return null
  await writePending(pending)
  return toStopped(name, { durationSeconds, finalMetrics: metrics })
}

type StopFacts = Pick<End, 'stoppedAt' | 'endedBy'> & {
  durationSeconds: number
  counted: JsonObject
  metrics: JsonObject
  eventCount: number
}

/** False if the session has changed since it was read. */
async function storeStop(pending: PendingLine, facts: StopFacts): Promise<boolean> {
  try {
    return await insertStop(pending, facts)
  } catch (error) {
    // A metric of the same millisecond was faster.
    if (asAppError(error).code === 'conflict') return false
    throw error
  }
}

async function insertStop(
  { sessionId, at, day, line, metrics: said }: PendingLine,
  { stoppedAt, endedBy, durationSeconds, counted, metrics, eventCount }: StopFacts,
): Promise<boolean> {
  const stored = await sql`
    WITH place AS (
      SELECT id FROM chat_sessions s WHERE id = ${sessionId}::uuid AND status = 'open'
        AND event_count = ${eventCount}::int AND NOT EXISTS (
          SELECT 1 FROM chat_session_lines l WHERE l.session_id = s.id AND l.at = ${at}::timestamptz)
      FOR UPDATE
    ), stopping AS (
      UPDATE chat_sessions s SET status = 'stopping', stopped_at = ${stoppedAt}::timestamptz,
        ended_by = ${endedBy}, duration_seconds = ${durationSeconds}::float8,
        counted = ${JSON.stringify(counted)}::jsonb, final_metrics = ${JSON.stringify(metrics)}::json
      FROM place WHERE s.id = place.id RETURNING s.id
    )
    INSERT INTO chat_session_lines (session_id, at, event, day, line, metrics)
    SELECT id, ${at}::timestamptz, 'session_stop', ${day}, ${line}, ${JSON.stringify(said)}::jsonb
    FROM stopping RETURNING 1`
  return stored.length === 1
}

function toStopped(
  name: string,
  { durationSeconds, finalMetrics }: Pick<SessionRow, 'durationSeconds' | 'finalMetrics'>,
): SessionStopped {
  return {
    success: true,
    session_id: name,
    duration_seconds: durationSeconds ?? 0,
    metrics: finalMetrics ?? {},
  }
}
