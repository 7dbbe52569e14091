import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import type { PoolConfig } from 'pg'
import { startEmbeddedPostgres } from './db/embedded'
import { asStorageError, isDatabaseError } from './db/errors'
import { type Prisma, PrismaClient } from './db/generated/client'
import { applyMigrations } from './db/migrate'
import { env } from './env'
import { AppError } from './errors'
import { remember } from './remember'

export type { Prisma } from './db/generated/client'

type Storage = { client: Client | null; stop: () => Promise<void> }
const storage = () => remember<Storage>('db', () => ({ client: null, stop: async () => {} }))

/** Most connections that one process opens to the database. */
const poolSize = 16

/** How long a transaction may wait for a connection, and how long it may take. */
const transactionOptions = { maxWait: 5000, timeout: 15_000 }

function connect(config: PoolConfig) {
  const adapter = new PrismaPg({
    ...config,
    max: poolSize,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 60_000,
  })
  const client = new PrismaClient({ adapter, transactionOptions }).$extends({
    query: {
      $allOperations: async ({ args, query }) => {
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

/** What goes wrong with a transaction as a whole, such as no free connection, is no operation's error. */
function withTransactionFaults<T extends { $transaction: (...args: never[]) => Promise<unknown> }>(
  client: T,
): T {
  const begin: (...args: never[]) => Promise<unknown> = client.$transaction.bind(client)
  const transact = (...args: never[]) =>
    begin(...args).catch((error: unknown) => {
      throw isDatabaseError(error) ? asStorageError(error) : error
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
  if (!client) throw new AppError('unavailable', 'The database has not been started yet.')
  return client
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
    storage().client = connect({ connectionString: DATABASE_URL })
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
  storage().client = connect(embedded.connection)
}

/** Closes all connections and stops the embedded Postgres, if it is ours. */
export async function stopDatabase(): Promise<void> {
  const { client, stop } = storage()
  Object.assign(storage(), { client: null, stop: async () => {} })
  await client?.$disconnect()
  await stop()
}

/** What Prisma takes for a JSON column. */
export type JsonInput = Prisma.InputJsonValue
