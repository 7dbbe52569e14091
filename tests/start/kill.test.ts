import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterEach, expect, test } from 'vitest'
import { killOwners, listProcessesIn, queryOnce, startOwner, untilNoProcessIn } from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'

const KILLS = 30
const LONGEST_LIFE_MS = 400
/** Thirty starts on a busy machine. */
const PATIENCE_MS = 600_000

const folder = makeOwnFolder('kills')

afterEach(async () => {
  await killOwners()
  folder.remove()
})

/** Writes one row after the other until the database is gone; returns the last that it acknowledged. */
async function writeUntilGone(url: string, first: number): Promise<number> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  let acknowledged = first - 1
  try {
    await client.connect()
    for (;;) {
      await client.query('INSERT INTO kept VALUES ($1)', [acknowledged + 1])
      acknowledged++
    }
  } catch {
    return acknowledged
  }
}

test(
  `${KILLS} kills at random moments lose no row that was acknowledged, and leave no process`,
  async () => {
    let acknowledged = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const owner = await startOwner({ dataDir: folder.path })
      await queryOnce(owner.url, 'CREATE TABLE IF NOT EXISTS kept (id int PRIMARY KEY)')
      // One that was on its way when the last kill came may be there too, unacknowledged.
      const [stored] = await queryOnce<{ count: number; last: number }>(
        owner.url,
        'SELECT count(*)::int AS count, coalesce(max(id), 0) AS last FROM kept',
      )
      expect(stored?.count).toBe(stored?.last)
      expect(stored?.count).toBeGreaterThanOrEqual(acknowledged)
      const writing = writeUntilGone(owner.url, (stored?.last ?? 0) + 1)
      await sleep(Math.random() * LONGEST_LIFE_MS)
      await owner.kill()
      acknowledged = await writing
      // Every third time, the next server starts while Postgres is still on its way out.
      if (kill % 3 > 0) await untilNoProcessIn(folder.path)
    }
    expect(acknowledged).toBeGreaterThan(KILLS)
    await untilNoProcessIn(folder.path)
    expect(listProcessesIn(folder.path)).toEqual([])
  },
  PATIENCE_MS,
)

test('a kill while Postgres is starting does not keep the next one from starting', async () => {
  const owners = Array.from({ length: 5 }, () => startOwner({ dataDir: folder.path }).catch(() => undefined))
  await sleep(Math.random() * LONGEST_LIFE_MS)
  await killOwners()
  await Promise.all(owners)
  const owner = await startOwner({ dataDir: folder.path })
  expect(await queryOnce(owner.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})
