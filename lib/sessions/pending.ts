import type { JsonObject } from '../contracts/sessions'
import { sql } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import type { LogEvent } from './line'
import { LogFile } from './log-file'

/** A line that is stored, and on its way to the file. */
export type PendingLine = {
  sessionId: string
  at: Date
  event: LogEvent
  day: string
  line: string
  /** What it adds to what the client said. */
  metrics: JsonObject
}

/** After so long a line is not begun any more … */
const beginWithinMs = 10_000
/** … and after so long its writer is taken to be gone. */
export const abandonedAfterMs = 60_000

/** The files of this server. */
export function logFile(): LogFile {
  return remember('sessions.file', () => new LogFile(env().SESSION_LOG_DIR))
}

/**
 * Writes a stored line to the file; only then has happened what it tells. If the line cannot be written, nothing has.
 * Throws storage_full, unavailable.
 */
export async function writePending(pending: PendingLine): Promise<void> {
  try {
    await logFile().append(pending.day, pending.line, beginWithinMs)
  } catch (error) {
    await dropLine(pending).catch((err: unknown) =>
      log().warn({ err }, 'a line that could not be written is still stored'),
    )
    throw error
  }
  if (await settleLine(pending)) return
  // Whoever looked for lines that nobody writes any more was faster than this writer.
  throw new AppError('unavailable', 'The session log is not written fast enough. Try again in a moment.', {
    retryAfterSeconds: 2,
  })
}

type Place = Pick<PendingLine, 'sessionId' | 'at'>

/** The line stands in the file: what it tells has happened. False if it is not waited for. */
async function settleLine({ sessionId, at }: Place): Promise<boolean> {
  const settled = await sql`
    WITH written AS (
      UPDATE chat_session_lines SET written = true
      WHERE session_id = ${sessionId}::uuid AND at = ${at}::timestamptz AND NOT written
      RETURNING session_id, event, metrics
    )
    UPDATE chat_sessions s SET
      status = CASE w.event WHEN 'session_start' THEN 'open' WHEN 'session_stop' THEN 'stopped' ELSE s.status END,
      metrics = s.metrics || w.metrics,
      event_count = s.event_count + 1,
      last_seen_at = CASE w.event WHEN 'session_stop' THEN s.last_seen_at ELSE clock_timestamp() END
    FROM written w WHERE s.id = w.session_id RETURNING 1`
  return settled.length === 1
}

/** The line will not be written: it is as if nobody had asked. */
async function dropLine({ sessionId, at }: Place): Promise<void> {
  await sql`
    WITH dropped AS (
      DELETE FROM chat_session_lines
      WHERE session_id = ${sessionId}::uuid AND at = ${at}::timestamptz AND NOT written
      RETURNING session_id, event
    ), reopened AS (
      UPDATE chat_sessions s SET status = 'open', stopped_at = NULL, ended_by = NULL, duration_seconds = NULL,
        counted = NULL, final_metrics = NULL
      FROM dropped d WHERE s.id = d.session_id AND d.event = 'session_stop'
    )
    DELETE FROM chat_sessions s USING dropped d WHERE s.id = d.session_id AND d.event = 'session_start'`
}

type StoredLine = Place & { day: string; line: string }
const batch = 500

/**
 * Looks after lines whose writer is gone: what stands in the file has happened, the rest was never acknowledged and is
 * forgotten. `olderThanMs` is 0 where no other server can be writing them.
 */
export async function settleAbandoned(olderThanMs: number): Promise<void> {
  for (;;) {
    const lines = await sql<StoredLine>`
      SELECT session_id AS "sessionId", at, day, line FROM chat_session_lines
      WHERE NOT written AND begun_at <= clock_timestamp() - ${olderThanMs}::int * interval '1 millisecond'
      ORDER BY begun_at LIMIT ${batch}::int`
    for (const day of new Set(lines.map((line) => line.day))) {
      await settleDay(
        day,
        lines.filter((line) => line.day === day),
      )
    }
    if (lines.length < batch) return
  }
}

async function settleDay(day: string, lines: StoredLine[]): Promise<void> {
  const found = await logFile().find(day, new Set(lines.map(({ line }) => line)))
  for (const line of lines) {
    if (found.has(line.line)) await settleLine(line)
    else await dropLine(line)
  }
  log().info({ day, stored: lines.length, written: found.size }, 'lines of the session log were settled')
}
