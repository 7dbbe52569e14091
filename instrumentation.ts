import type { FindHandler } from './lib/http'

/** What the entry point waits for and takes over; it waits for nothing under Next's own command line. */
const entry = globalThis as typeof globalThis & {
  __alChatBoot?: { resolve: () => void; reject: (error: unknown) => void }
  /** Who answers what the entry point does not lead through Next (scripts/direct.mjs). */
  __alChatHandlers?: FindHandler
}

/** Next calls this once, before the server answers anything. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { boot } = await import('./lib/boot')
  if (process.env.NODE_ENV === 'production' && entry.__alChatBoot) {
    const { findOpenAiHandler } = await import('./app/api/v1/table')
    entry.__alChatHandlers = findOpenAiHandler
  }
  await boot().then(entry.__alChatBoot?.resolve, failBoot)
}

// Next would log a stack and go on. The entry point says it in one line and ends the process.
async function failBoot(error: unknown): Promise<void> {
  if (!entry.__alChatBoot) throw error
  entry.__alChatBoot.reject(error)
  await new Promise(() => {})
}
