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
const REOPEN_MS = 250
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

/** A running one; `homeDir` is the folder that holds all that it keeps. */
export type EmbeddedPostgres = {
  connection: EmbeddedConnection
  url: string
  homeDir: string
  stop(): Promise<void>
}

type Options = { dataDir: string; listen?: 'socket' | 'loopback'; nativeDir?: string }
type Owner = ReturnType<typeof takeOwnership>
type Home = Options & { homeDir: string; owner: Owner }
type Site = Home & { clusterDir: string; listening: Listening; host: string }

/**
 * Starts the embedded Postgres on `dataDir`/postgres, making it first where there is none, and waits until it answers.
 * It is started again if it dies, and ends with this process, however that ends. Throws unavailable or storage_full
 * with one line for the operator.
 */
export async function startEmbeddedPostgres(options: Options): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  const homeDir = join(dataDir, 'postgres')
  try {
    // A folder that was there keeps its mode: it may be anything. What Postgres keeps in it is closed by itself.
    mkdirSync(homeDir, { recursive: true, mode: 0o700 })
    const owner = takeOwnership(homeDir, dataDir)
    return await serve({ ...options, dataDir, homeDir, owner }).catch((error) => {
      owner.release()
      throw error
    })
  } catch (error) {
    if (error instanceof AppError) throw error
    throw explainFault(dataDir, error instanceof Error ? error.message : String(error), error)
  }
}

async function serve(home: Home): Promise<EmbeddedPostgres> {
  const clusterDir = join(home.homeDir, 'cluster')
  const site: Site =
    home.listen === 'loopback'
      ? { ...home, clusterDir, listening: { port: await findFreePort() }, host: '127.0.0.1' }
      : { ...home, clusterDir, listening: { socket: true }, host: reachSocket(clusterDir, home.owner) }
  const { connection, postmaster } = await open(site)
  const stopKeeping = keepOpen(site, postmaster)
  return {
    connection,
    url: urlOf(connection),
    homeDir: home.homeDir,
    stop: async () => {
      await stopKeeping()
      site.owner.release()
    },
  }
}

/** Starts Postgres again, at the same address, whenever it is gone without having been asked to. */
function keepOpen(site: Site, first: Postmaster): () => Promise<void> {
  let current: Postmaster | undefined = first
  let stopping = false
  const keeping = (async () => {
    for (;;) {
      await current?.exited
      if (stopping) return
      await sleep(REOPEN_MS)
      current = await open(site).then(
        ({ postmaster }) => postmaster,
        () => undefined, // Say, a full disk: the next try may succeed, and meanwhile every query fails by itself.
      )
      if (stopping) await current?.stop()
    }
  })()
  return async () => {
    stopping = true
    await current?.stop()
    await keeping
  }
}

async function open(site: Site): Promise<{ connection: EmbeddedConnection; postmaster: Postmaster }> {
  const { homeDir, clusterDir, owner, listening, host } = site
  const account = chooseAccount(clusterDir)
  const engine = prepareEngine(account, owner.noteLeftover, site.nativeDir)
  const strangerPid = await clearOrphan(clusterDir)
  const password = prepareCluster(homeDir, account, engine)
  const connection = {
    host,
    port: 'port' in listening ? listening.port : 5432,
    user: ROLE,
    password,
    database: DATABASE,
  }
  const postmaster = launchPostmaster({ homeDir, account, engine, listening, strangerPid })
  await untilReady(connection, postmaster, site.dataDir)
  return { connection, postmaster }
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
    if (postmaster.hasExited()) throw explainFault(dataDir, postmaster.report())
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

// A connection that ends while nobody waits for it would otherwise end the process.
function connectionTo(connection: EmbeddedConnection): Client {
  return new Client(connection).on('error', () => undefined)
}

async function tryConnecting(connection: EmbeddedConnection): Promise<string | undefined> {
  const client = connectionTo(connection)
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
  const client = connectionTo({ ...connection, database: 'postgres' })
  await client.connect()
  await client.query(`CREATE DATABASE ${DATABASE}`).finally(() => client.end())
}

function urlOf({ host, port, user, password, database }: EmbeddedConnection): string {
  const login = `${user}:${encodeURIComponent(password)}`
  if (!host.startsWith('/')) return `postgresql://${login}@${host}:${port}/${database}`
  return `postgresql://${login}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
}
