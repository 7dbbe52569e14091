import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor } from '../auth'
import type { LeaveSession, SessionLeft } from '../contracts/sessions'
import { log } from '../log'
import { remember } from '../remember'
import { getSession, type SessionRow, timeOfLine } from './rows'
import { endSession } from './stop'

/** A page that is loaded again is back within this. */
const graceMs = 10_000
/** More wait for nobody: they are ended at once. */
const maxLeaving = 5000

const leaving = () => remember('sessions.leaving', () => ({ count: 0 }))

/**
 * The page of a session goes, and nobody knows whether it is loaded again: unless something is said of the session
 * within ten seconds, it ends as of now. Throws not_found.
 */
export async function leaveSession(
  actor: Actor,
  { session_id: name }: LeaveSession,
  waitMs = graceMs,
): Promise<SessionLeft> {
  const session = await getSession(actor, name)
  if (session.status === 'open') {
    endUnlessBack(session, leaving().count < maxLeaving ? waitMs : 0).catch((err: unknown) =>
      log().warn({ err, session: name }, 'a session that was left is ended by its silence'),
    )
  }
  return { success: true, session_id: name }
}

async function endUnlessBack(session: SessionRow, waitMs: number): Promise<void> {
  leaving().count += 1
  try {
    // A server that stops meanwhile does not wait for it.
    await sleep(waitMs, undefined, { ref: false })
    const at = timeOfLine(session, new Date(), 0)
    // Whatever was said of it since makes this end nothing.
    await endSession(session, { at, said: {}, endedBy: 'client', stoppedAt: session.now })
  } finally {
    leaving().count -= 1
  }
}
