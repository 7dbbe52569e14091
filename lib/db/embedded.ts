import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { AppError } from '@/lib/errors'
import { chooseAccount } from './embedded/account'
import { prepareCluster, ROLE } from './embedded/cluster'
import { prepareEngine } from './embedded/engine'
import { explainFault } from './embedded/faults'
import { clearOrphan, takeOwnership } from './embedded/owner'
import { type Listening, launchPostmaster, type Postmaster } from './embedded/postmaster'

const DATABASE = 'al_chat'
const POLL_MS = 20
// Addresses of Unix sockets end at 103 bytes on macOS and 107 on Linux.
const SOCKET_PATH_BYTES = 103

/** Where the embedded database answers; `host` is a folder when it listens on a Unix socket. */
type EmbeddedConnection = {
  host: string
  port: number
  user: string
  password: string
  database: string
}

export type EmbeddedPostgres = {
  connection: EmbeddedConnection
  url: string
  /** Settles when the database has ended, whether asked to or not. */
  exited: Promise<void>
  stop(): Promise<void>
}

type Options = { dataDir: string; listen?: 'socket' | 'loopback'; nativeDir?: string }

/**
 * Starts the embedded Postgres on `dataDir`/postgres, making it first where there is none, and waits until it answers.
 * It ends with this process, however that ends. Throws unavailable or storage_full with one line for the operator.
 */
export async function startEmbeddedPostgres(options: Options): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  const homeDir = join(dataDir, 'postgres')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    mkdirSync(homeDir, { recursive: true, mode: 0o700 })
    const owner = takeOwnership(homeDir, dataDir)
    return await serve(homeDir, options, owner).catch((error) => {
      owner.release()
      throw error
    })
  } catch (error) {
    if (error instanceof AppError) throw error
    throw explainFault(dataDir, error instanceof Error ? error.message : String(error), error)
  }
}

type Owner = ReturnType<typeof takeOwnership>

async function serve(homeDir: string, options: Options, owner: Owner): Promise<EmbeddedPostgres> {
  const clusterDir = join(homeDir, 'cluster')
  const account = chooseAccount(clusterDir)
  const engine = prepareEngine(account, options.nativeDir)
  if (engine.copyDir) owner.noteLeftover(engine.copyDir)
  const strangerPid = await clearOrphan(clusterDir)
  const password = prepareCluster(homeDir, account, engine)
  const listening: Listening =
    options.listen === 'loopback' ? { port: await findFreePort() } : { socket: true }
  const connection = {
    host: 'port' in listening ? '127.0.0.1' : reachSocket(clusterDir, owner),
    port: 'port' in listening ? listening.port : 5432,
    user: ROLE,
    password,
    database: DATABASE,
  }
  const postmaster = launchPostmaster({ homeDir, account, engine, listening, strangerPid })
  await untilReady(connection, postmaster, options.dataDir)
  return {
    connection,
    url: urlOf(connection),
    exited: postmaster.exited,
    stop: async () => {
      await postmaster.stop()
      owner.release()
    },
  }
}

// A path that is too long for a socket is reached through a short link, in a folder that only this user can enter.
function reachSocket(clusterDir: string, owner: Owner): string {
  if (Buffer.byteLength(join(clusterDir, '.s.PGSQL.5432')) <= SOCKET_PATH_BYTES) return clusterDir
  const base = Buffer.byteLength(tmpdir()) < 60 ? tmpdir() : '/tmp'
  const shortDir = mkdtempSync(join(base, 'al-chat-socket-'))
  owner.noteLeftover(shortDir)
  symlinkSync(clusterDir, join(shortDir, 'db'))
  return join(shortDir, 'db')
}

function findFreePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolvePort(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

async function untilReady(
  connection: EmbeddedConnection,
  postmaster: Postmaster,
  dataDir: string,
): Promise<void> {
  for (;;) {
    if (postmaster.hasExited()) throw explainFault(resolve(dataDir), postmaster.report())
    const problem = await tryConnecting(connection)
    if (problem === undefined) return
    if (problem === '3D000') await createDatabase(connection)
    else if (!isStarting(problem)) {
      await postmaster.stop()
      throw explainFault(
        resolve(dataDir),
        `${postmaster.report()}\nerror: it refused the connection (${problem})`,
      )
    } else await sleep(POLL_MS)
  }
}

// 57P03: Postgres is there, but still replaying what a crash interrupted.
function isStarting(problem: string): boolean {
  return ['57P03', 'ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(problem)
}

async function tryConnecting(connection: EmbeddedConnection): Promise<string | undefined> {
  const client = new Client(connection)
  try {
    await client.connect()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function createDatabase(connection: EmbeddedConnection): Promise<void> {
  const client = new Client({ ...connection, database: 'postgres' })
  await client.connect()
  await client.query(`CREATE DATABASE ${DATABASE}`).finally(() => client.end())
}

function urlOf({ host, port, user, password, database }: EmbeddedConnection): string {
  const login = `${user}:${encodeURIComponent(password)}`
  if (!host.startsWith('/')) return `postgresql://${login}@${host}:${port}/${database}`
  return `postgresql://${login}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
}
