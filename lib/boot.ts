import { warmPasswords } from './auth'
import { adoptAnswer } from './chat'
import { startDatabase, stopDatabase } from './db'
import { env } from './env'
import { remember } from './remember'
import { recoverReplies, stopReplies } from './replies'
import { verifyVaultKey } from './vault'

/** The server's entry point awaits these, in turn, when it is told to stop. */
const shutdownHooks = globalThis as typeof globalThis & { __alChatShutdown?: Set<() => Promise<void>> }

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
  shutdownHooks.__alChatShutdown ??= new Set()
  shutdownHooks.__alChatShutdown.add(stop)
  await verifyVaultKey()
  await recoverReplies(adoptAnswer)
  await warmPasswords()
}

async function stop(): Promise<void> {
  await stopReplies()
  await stopDatabase()
}
