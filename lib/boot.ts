import { warmPasswords } from './auth'
import { adoptAnswer } from './chat'
import { isDatabaseOurs, startDatabase, stopDatabase } from './db'
import { env } from './env'
import { closeFiles, openFiles } from './files'
import { drainRuns, startRuns, startWatch, stopRuns, stopSettling, stopWatch } from './gateway'
import { log } from './log'
import { isLoopbackAllowed } from './reach'
import { remember } from './remember'
import { drainReplies, recoverReplies, stopReplies } from './replies'
import { closeSessionLog, openSessionLog } from './sessions'
import { closeBudgets, openBudgets } from './usage'
import { resumeRotation, stopRotation, verifyVaultKey } from './vault'

type Shutdown = { drain: () => Promise<void>; stop: () => Promise<void> }
/** What the server's entry point awaits when it is told to stop: `drain` while it serves, then `stop`. */
const shutdown = globalThis as typeof globalThis & { __alChatShutdown?: Shutdown }

/**
 * Brings the product up: environment, database, vault, and the replies that a crash left behind.
 * Throws EnvError or AppError with one line that says what is in the way.
 */
export async function boot(): Promise<void> {
  await remember('boot', start)
}

async function start(): Promise<void> {
  env()
  await startDatabase()
  shutdown.__alChatShutdown = { drain, stop }
  await verifyVaultKey()
  await resumeRotation()
  await openSessionLog()
  await openFiles()
  await recoverReplies(adoptAnswer, isDatabaseOurs())
  // Before what nobody holds is given back.
  await startWatch(isDatabaseOurs())
  await startRuns(isDatabaseOurs())
  await openBudgets(isDatabaseOurs())
  await warmPasswords()
  tellReach()
}

function tellReach(): void {
  const allowed = env().ALLOWED_PROVIDER_HOSTS.length
  const own = isLoopbackAllowed()
    ? 'keys may be sent to this machine itself, as for Ollama, because it alone is served'
    : 'keys are not sent to this machine itself'
  log().info(`${own}; ALLOWED_PROVIDER_HOSTS allows ${allowed} more`)
}

async function drain(): Promise<void> {
  await Promise.all([drainReplies(), drainRuns()])
}

async function stop(): Promise<void> {
  await stopReplies()
  await stopRuns()
  await Promise.all([stopWatch(), stopSettling()])
  await closeSessionLog()
  closeFiles()
  await stopRotation()
  await closeBudgets()
  await stopDatabase()
}
