// A process that owns an embedded Postgres, as the server does, so that tests can kill it. Its one argument is JSON.
// Says in one line of JSON that it is ready, or what the operator would read.
import { startEmbeddedPostgres } from '../../lib/db/embedded'

const options: { dataDir: string; listen?: 'socket' | 'loopback'; nativeDir?: string; uid?: number } =
  JSON.parse(process.argv[2] ?? '{}')

// Only after everything was loaded: the checkout may be out of that user's reach.
if (options.uid) {
  process.setgroups?.([])
  process.setgid?.(options.uid)
  process.setuid?.(options.uid)
}

try {
  const database = await startEmbeddedPostgres(options)
  process.once('SIGTERM', async () => {
    await database.stop()
    process.exit(0)
  })
  console.log(JSON.stringify({ url: database.url }))
  setInterval(() => {}, 60_000)
} catch (error) {
  const { name, message, code } = error as Error & { code?: string }
  console.log(JSON.stringify({ name, message, code }))
  process.exit(1)
}
