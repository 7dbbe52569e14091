import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** An empty database of one's own. */
export type ScratchDatabase = { url: string; drop: () => Promise<void> }

/**
 * Makes an empty database on the server of this test run: the one of DATABASE_URL, else an embedded Postgres that
 * all unit tests share. Which one it is, no test knows.
 */
export async function createScratchDatabase(
  serverUrl = process.env.TEST_DATABASE_URL,
): Promise<ScratchDatabase> {
  if (!serverUrl) throw new Error('No database server: run the tests through vitest.config.ts.')
  const name = `al_chat_test_${randomBytes(6).toString('hex')}`
  await runOn(serverUrl, `CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => runOn(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

async function runOn(serverUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl }).on('error', () => undefined)
  await client.connect()
  await client.query(sql).finally(() => client.end())
}
