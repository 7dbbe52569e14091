import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import type { JsonObject, SessionStarted, StartSession } from '../contracts/sessions'
import { requireRoom, sql } from '../db'
import { AppError } from '../errors'
import { remember } from '../remember'
import { localDay, localMoment, sessionName } from './clock'
import { formatLine } from './line'
import { type PendingLine, writePending } from './pending'
import { busy, maxTries } from './rows'

/** A client that never stops its sessions is told so at this many; the silent ones end by themselves. */
const maxOpenSessions = 1000

/**
 * Begins a session of the actor's. `username` is what the client calls its user, and nothing more.
 * Throws too_many_requests, storage_full, unavailable.
 */
export async function startSession(
  actor: Actor,
  { username = actor.email, metadata = {} }: StartSession,
  now = new Date(),
): Promise<SessionStarted> {
  await requireRoom()
  const moment = localMoment(now)
  let ordinal = nextOrdinal(moment)
  for (let tries = 0; tries < maxTries; tries++) {
    const name = sessionName({ moment, ordinal })
    const line = formatLine({ event: 'session_start', sessionName: name, at: now, username })
    const place = { sessionId: newId(), at: now, day: localDay(now) }
    const pending: PendingLine = { ...place, event: 'session_start', line, metrics: {} }
    if (await storeSession(actor, { moment, ordinal, username, metadata }, pending)) {
      await writePending(pending)
      return { success: true, session_id: name, timestamp: now.toISOString() }
    }
    ordinal = nextOrdinal(moment, await findFreeOrdinal(actor, moment))
  }
  throw busy()
}

const lastOrdinal = () => remember('sessions.ordinal', () => ({ moment: '', ordinal: 0 }))

/** The next one of this second, as far as this process knows; at least `free`. The database decides. */
function nextOrdinal(moment: string, free = 1): number {
  const last = lastOrdinal()
  if (last.moment !== moment) Object.assign(last, { moment, ordinal: 0 })
  last.ordinal = Math.max(last.ordinal + 1, free)
  return last.ordinal
}

type NewSession = { moment: string; ordinal: number; username: string; metadata: JsonObject }

/** False where the name is taken, or too many sessions are open. */
async function storeSession(
  { userId, keyId }: Actor,
  { moment, ordinal, username, metadata }: NewSession,
  { sessionId, at, event, day, line }: PendingLine,
): Promise<boolean> {
  const stored = await sql`
    WITH begun AS (
      INSERT INTO chat_sessions (id, moment, ordinal, user_id, key_id, username, metadata, day)
      SELECT ${sessionId}::uuid, ${moment}, ${ordinal}::int, ${userId}::uuid, ${keyId}::uuid, ${username},
        ${JSON.stringify(metadata)}::jsonb, ${day}
      WHERE (SELECT count(*) FROM chat_sessions WHERE user_id = ${userId}::uuid AND status <> 'stopped')
        < ${maxOpenSessions}::int
      ON CONFLICT (moment, ordinal) DO NOTHING RETURNING id
    )
    INSERT INTO chat_session_lines (session_id, at, event, day, line)
    SELECT id, ${at}::timestamptz, ${event}, ${day}, ${line} FROM begun RETURNING 1`
  return stored.length === 1
}

async function findFreeOrdinal({ userId }: Actor, moment: string): Promise<number> {
  const [row] = await sql<{ last: number; open: number }>`
    SELECT (SELECT coalesce(max(ordinal), 0) FROM chat_sessions WHERE moment = ${moment})::int AS last,
      (SELECT count(*) FROM chat_sessions WHERE user_id = ${userId}::uuid AND status <> 'stopped')::int AS open`
  if ((row?.open ?? 0) >= maxOpenSessions) {
    const said = `${maxOpenSessions} of your sessions are open. Stop some of them first.`
    throw new AppError('too_many_requests', said, { retryAfterSeconds: 60 })
  }
  return (row?.last ?? 0) + 1
}
