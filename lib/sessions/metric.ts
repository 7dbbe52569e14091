import type { Actor } from '../auth'
import type { MetricsRecorded, RecordMetrics } from '../contracts/sessions'
import { requireRoom, sql } from '../db'
import { AppError } from '../errors'
import { localDay } from './clock'
import { formatLine } from './line'
import { type PendingLine, writePending } from './pending'
import { busy, getSession, maxTries, requireSmall, timeOfLine } from './rows'

const maxEvents = 10_000

/** Adds to what is said of an open session. Throws not_found, conflict, too_large, storage_full, unavailable. */
export async function recordMetrics(
  actor: Actor,
  { session_id: name, metrics }: RecordMetrics,
  now = new Date(),
): Promise<MetricsRecorded> {
  await requireRoom()
  for (let tries = 0; tries < maxTries; tries++) {
    const session = await getSession(actor, name)
    if (session.status !== 'open') throw new AppError('conflict', 'This session has been stopped.')
    if (session.eventCount >= maxEvents) {
      throw new AppError('conflict', `This session has ${maxEvents} metrics. Start a new one.`)
    }
    const at = timeOfLine(session, now, tries)
    requireSmall({ ...session.metrics, ...metrics })
    const line = formatLine({ event: 'metric', sessionName: name, at, username: session.username, metrics })
    const place = { sessionId: session.id, at, day: localDay(at) }
    const pending: PendingLine = { ...place, event: 'metric', line, metrics }
    if (await storeMetric(pending)) {
      await writePending(pending)
      return { success: true, session_id: name, timestamp: at.toISOString() }
    }
  }
  throw busy()
}

async function storeMetric({ sessionId, at, day, line, metrics }: PendingLine): Promise<boolean> {
  const stored = await sql`
    INSERT INTO chat_session_lines (session_id, at, event, day, line, metrics)
    SELECT id, ${at}::timestamptz, 'metric', ${day}, ${line}, ${JSON.stringify(metrics)}::jsonb
    FROM chat_sessions WHERE id = ${sessionId}::uuid AND status = 'open'
    ON CONFLICT DO NOTHING RETURNING 1`
  return stored.length === 1
}
