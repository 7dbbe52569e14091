import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { requireNoLeak, searchDatabase } from './canary/remains'
import type { Secret } from './canary/searcher'

/** How every provider key of the tests begins. */
const testKeys: Secret[] = [{ kind: 'provider-key', value: 'sk-test-' }]

/** An empty database of one's own; dropping it throws where the canary watch finds a provider's key in it. */
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
  const drop = async () => {
    await searchDatabase(url.href, name, testKeys)
    await runOn(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    requireNoLeak(name)
  }
  return { url: url.href, drop }
}

async function runOn(serverUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl }).on('error', () => undefined)
  await client.connect()
  await client.query(sql).finally(() => client.end())
}
