import type { Actor } from './auth'
import { isDatabaseOurs } from './db'
import { AppError } from './errors'
import { log } from './log'
import { remember } from './remember'
import { abandonedAfterMs, logFile, settleAbandoned } from './sessions/pending'
import { endSilentSessions } from './sessions/sweep'

export { leaveSession } from './sessions/leave'
export { recordMetrics } from './sessions/metric'
export { startSession } from './sessions/start'
export { stopSession } from './sessions/stop'
export { endSilentSessions } from './sessions/sweep'
export { getChatSession, listChatSessions, listSessionUsers, readSessionLines } from './sessions/views'

const sweepEveryMs = 600_000
const sweeping = () =>
  remember('sessions.sweeping', (): { timer: NodeJS.Timeout | null; now: Promise<void> } => ({
    timer: null,
    now: Promise.resolve(),
  }))

/**
 * Makes the session log usable: its folder, and lines that a crash left on their way. Looks every ten minutes for
 * sessions that nobody stops. Throws unavailable where the folder cannot be written to.
 */
export async function openSessionLog(): Promise<void> {
  await logFile().prepare()
  // Nobody else writes to a database of our own: what is on its way there is what a crash left.
  await settleAbandoned(isDatabaseOurs() ? 0 : abandonedAfterMs)
  clearInterval(sweeping().timer ?? undefined)
  sweeping().timer = setInterval(() => {
    sweeping().now = sweep()
  }, sweepEveryMs).unref()
}

async function sweep(): Promise<void> {
  try {
    await settleAbandoned(abandonedAfterMs)
    const ended = await endSilentSessions()
    if (ended > 0) log().info({ ended }, 'silent sessions were ended')
  } catch (err) {
    log().warn({ err }, 'silent sessions could not be ended')
  }
}

/** Looks no more, and returns once nothing is being written. */
export async function closeSessionLog(): Promise<void> {
  clearInterval(sweeping().timer ?? undefined)
  await sweeping().now
  await logFile().settle()
}

/** The text of the day's file of this server, in pieces, for an admin. Throws forbidden, not_found. */
export async function readDayLog(actor: Actor, day: string): Promise<AsyncGenerator<string>> {
  if (actor.role !== 'admin' || actor.boundTo !== null) {
    throw new AppError('forbidden', 'Only an admin can download what everybody did on a day.')
  }
  const pieces = await logFile().read(day)
  if (!pieces) throw new AppError('not_found', 'On this day, this server has written no session log.')
  return pieces
}

/** The headers of lines that are downloaded as a file of this name. */
export function downloadHeaders(fileName: string): Record<string, string> {
  return {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': `attachment; filename="${fileName}"`,
    'x-content-type-options': 'nosniff',
  }
}
