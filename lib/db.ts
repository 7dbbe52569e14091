import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { Pool, type PoolConfig } from 'pg'
import { startEmbeddedPostgres } from './db/embedded'
import { asStorageError } from './db/errors'
import { type Prisma, PrismaClient } from './db/generated/client'
import { applyMigrations } from './db/migrate'
import { Disk, takesRoom } from './db/space'
import { type Sql, sqlOn } from './db/sql'
import { env } from './env'
import { AppError } from './errors'
import { log } from './log'
import { remember } from './remember'

export type { Prisma } from './db/generated/client'
export type { Sql } from './db/sql'

type Storage = {
  client: Client | null
  pool: Pool | null
  /** Whether the connections lead to one server for good, which nobody else uses. */
  isOurs: boolean
  /** Where the embedded database is. */
  disk: Disk | null
  stop: () => Promise<void>
}
const closed = (): Storage => ({ client: null, pool: null, isOurs: false, disk: null, stop: async () => {} })
const storage = () => remember<Storage>('db', closed)

/** Most connections that one process opens to the database. */
const poolSize = 16

/** How long a transaction may wait for a connection, and how long it may take. */
const transactionOptions = { maxWait: 5000, timeout: 15_000 }

/** A server that has gone without a word is given up after this long. */
const answerWithinMs = 20_000

function openPool(config: PoolConfig): Pool {
  const pool = new Pool({
    ...config,
    max: poolSize,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 60_000,
    query_timeout: answerWithinMs,
    keepAlive: true,
  })
  // A connection that breaks while nobody uses it; the next one is made when it is needed. The error would bring along
  // all that the driver knows.
  return pool.on('error', (err) => log().warn({ reason: err.message }, 'a connection to the database broke'))
}

function connect(pool: Pool) {
  const adapter = new PrismaPg(pool, { disposeExternalPool: true })
  const client = new PrismaClient({ adapter, transactionOptions }).$extends({
    query: {
      $allOperations: async ({ model, operation, args, query }) => {
        if (takesRoom(model, operation)) await requireRoom()
        try {
          return await query(args)
        } catch (error) {
          throw asStorageError(error)
        }
      },
    },
  })
  return withTransactionFaults(client)
}

/** What goes wrong with a transaction as a whole, such as no connection or a broken one, is no operation's error. */
function withTransactionFaults<T extends { $transaction: (...args: never[]) => Promise<unknown> }>(
  client: T,
): T {
  const begin: (...args: never[]) => Promise<unknown> = client.$transaction.bind(client)
  const transact = (...args: never[]) =>
    begin(...args).catch((error: unknown) => {
      throw asStorageError(error)
    })
  return new Proxy(client, {
    get: (target, name) => (name === '$transaction' ? transact : Reflect.get(target, name)),
  })
}

type Client = ReturnType<typeof connect>

/** The typed client inside a transaction. */
export type Transaction = Parameters<Parameters<Client['$transaction']>[0]>[0]

/** The typed client. Throws `unavailable` before the database was started; its calls throw only AppError. */
export function db(): Client {
  const { client } = storage()
  if (!client) throw notStarted()
  return client
}

/**
 * One statement by hand, for the few places where every answer waits: a third of the processor time of the typed client.
 * Throws `unavailable` before the database was started, and only AppError.
 */
export const sql: Sql = (text, ...values) => {
  const { pool, isOurs } = storage()
  if (!pool) throw notStarted()
  return sqlOn(pool, isOurs)(text, ...values)
}

/**
 * Before statements by hand that make the database grow. Throws storage_full when the disk of the embedded one has but
 * a reserve left, which Postgres needs: it ends when it cannot write its log.
 */
export async function requireRoom(): Promise<void> {
  await storage().disk?.requireRoom()
}

/** Whether the database is the embedded one, which no other server can use. */
export function isDatabaseOurs(): boolean {
  return storage().isOurs
}

/** How many connections there are, how many nobody uses, and how many statements wait for one. */
export function poolState(): { total: number; idle: number; waiting: number } {
  const { pool } = storage()
  return { total: pool?.totalCount ?? 0, idle: pool?.idleCount ?? 0, waiting: pool?.waitingCount ?? 0 }
}

function notStarted(): AppError {
  return new AppError('unavailable', 'The database has not been started yet.')
}

/**
 * Starts the database: the one named by `DATABASE_URL`, else the embedded Postgres in the data folder.
 * Applies pending migrations. Throws `unavailable` with one line that says what is in the way.
 */
export async function startDatabase(): Promise<void> {
  const { DATABASE_URL, DATA_DIR } = env()
  const migrations = join(process.cwd(), 'prisma/migrations')
  if (storage().client) return
  if (DATABASE_URL) {
    await applyMigrations({ connectionString: DATABASE_URL }, migrations)
    open({ connectionString: DATABASE_URL }, false)
    return
  }
  const embedded = await startEmbeddedPostgres({ dataDir: DATA_DIR })
  storage().stop = embedded.stop
  try {
    await applyMigrations(embedded.connection, migrations)
  } catch (error) {
    await embedded.stop()
    throw error
  }
  const { pool } = open(embedded.connection, true)
  // What a checkpoint is done with serves as room for the log again.
  const disk = new Disk(embedded.homeDir, () => void pool.query('CHECKPOINT').catch(() => undefined))
  Object.assign(storage(), { disk })
}

function open(config: PoolConfig, isOurs: boolean): { pool: Pool } {
  const pool = openPool(config)
  Object.assign(storage(), { pool, isOurs, client: connect(pool) })
  return { pool }
}

/** Closes all connections and stops the embedded Postgres, if it is ours. */
export async function stopDatabase(): Promise<void> {
  const { client, disk, stop } = storage()
  Object.assign(storage(), closed())
  await disk?.close()
  await client?.$disconnect()
  await stop()
}

/** What Prisma takes for a JSON column. */
export type JsonInput = Prisma.InputJsonValue
