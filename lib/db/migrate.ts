import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type ClientConfig } from 'pg'
import { AppError } from '@/lib/errors'

// The number under which Prisma's own command line locks, so that it and a starting server take turns.
const LOCK = 72707369

// As Prisma's schema engine creates it.
const TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`

type Migration = { name: string; sql: string; checksum: string }
type Record = { migration_name: string; checksum: string; finished_at: Date | null }

/**
 * Applies the migrations of `migrationsDir` that the database has not seen, each in one transaction, and records them
 * as `prisma migrate deploy` does. Servers that start at once take turns. Returns the names of those applied.
 * Throws unavailable when the database is out of reach or older than 15, or when a migration failed or was changed.
 */
export async function applyMigrations(connection: ClientConfig, migrationsDir: string): Promise<string[]> {
  const wanted = readMigrations(migrationsDir)
  // Whatever ends the connection also fails the query under way; unheard, it would end the process.
  const client = new Client(connection).on('error', () => undefined)
  await client.connect().catch((cause: Error) => {
    throw new AppError('unavailable', `The database does not answer: ${sayCause(cause)}`, { cause })
  })
  try {
    await requireVersion(client)
    await client.query('SELECT pg_advisory_lock($1)', [LOCK])
    return await applyPending(client, wanted)
  } finally {
    await client.end() // Gives the lock back too.
  }
}

function readMigrations(migrationsDir: string): Migration[] {
  return readdirSync(migrationsDir)
    .sort()
    .filter((name) => existsSync(join(migrationsDir, name, 'migration.sql')))
    .map((name) => {
      const sql = readFileSync(join(migrationsDir, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

// A refused connection to a name with several addresses is an AggregateError without a message of its own.
function sayCause(cause: Error): string {
  return cause.message || ('code' in cause ? String(cause.code) : cause.name)
}

async function requireVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  )
  const major = Math.floor((rows[0]?.version ?? 0) / 10_000)
  if (major < 15)
    throw new AppError(
      'unavailable',
      `AL-Chat needs Postgres 15 or newer, and DATABASE_URL names a ${major}.`,
    )
}

async function applyPending(client: Client, wanted: Migration[]): Promise<string[]> {
  await client.query(TABLE)
  const { rows } = await client.query<Record>(
    'SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL',
  )
  const seen = new Map(rows.map((record) => [record.migration_name, record]))
  requireKnown(rows, wanted)
  const pending = wanted.filter((migration) => !requireUnchanged(migration, seen.get(migration.name)))
  for (const migration of pending) await applyOne(client, migration)
  return pending.map(({ name }) => name)
}

// A database from a newer AL-Chat: this one would write rows that the newer one does not expect.
function requireKnown(records: Record[], wanted: Migration[]): void {
  const names = new Set(wanted.map(({ name }) => name))
  const unknown = records.find((record) => !names.has(record.migration_name))
  if (unknown)
    throw new AppError(
      'unavailable',
      `The database was migrated by a newer AL-Chat (${unknown.migration_name} is not known here): update this one.`,
    )
}

function requireUnchanged(migration: Migration, record: Record | undefined): boolean {
  if (!record) return false
  if (!record.finished_at)
    throw new AppError(
      'unavailable',
      `The migration ${migration.name} failed earlier: mend the database, then run prisma migrate resolve.`,
    )
  if (record.checksum !== migration.checksum)
    throw new AppError(
      'unavailable',
      `The migration ${migration.name} was changed after it had been applied: put the old file back.`,
    )
  return true
}

async function applyOne(client: Client, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN')
    const started = new Date()
    await client.query(migration.sql)
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name, started],
    )
    await client.query('COMMIT')
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => undefined)
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new AppError('unavailable', `The migration ${migration.name} failed and was undone: ${said}`, {
      cause,
    })
  }
}
