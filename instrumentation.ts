/** Where the entry point waits for the outcome of the boot; absent under Next's own command line. */
const waiting = globalThis as typeof globalThis & {
  __alChatBoot?: { resolve: () => void; reject: (error: unknown) => void }
}

/** Next calls this once, before the server answers anything. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { boot } = await import('./lib/boot')
  await boot().then(waiting.__alChatBoot?.resolve, failBoot)
}

// Next would log a stack and go on. The entry point says it in one line and ends the process.
async function failBoot(error: unknown): Promise<void> {
  if (!waiting.__alChatBoot) throw error
  waiting.__alChatBoot.reject(error)
  await new Promise(() => {})
}
