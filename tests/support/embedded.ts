import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Client } from 'pg'

export type OwnerOptions = {
  dataDir: string
  listen?: 'socket' | 'loopback'
  nativeDir?: string
  /** Act as this user; only root can. */
  uid?: number
  /** Where it may put what is temporary, instead of the system's own folder. */
  tempDir?: string
}

/** A process that owns an embedded Postgres, or what it said when it could not. */
export type Owner = {
  pid: number
  url: string
  stop: () => Promise<number | null>
  kill: () => Promise<void>
}
export type Refusal = { name: string; message: string; code: string }

export const isRoot = process.getuid?.() === 0

/** Any user but root and `nobody`, for whom Postgres runs when the server is root. */
export const ORDINARY_UID = 54321

const owners = new Map<ChildProcess, OwnerOptions>()

/** Starts Postgres in a process of its own. Throws what that process said when it does not start. */
export async function startOwner(options: OwnerOptions): Promise<Owner> {
  const { child, said, exited } = await launch(options)
  if (!('url' in said)) throw new Error(said.message)
  return {
    pid: child.pid ?? 0,
    url: said.url,
    stop: async () => {
      child.kill('SIGTERM')
      return exited
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** What the operator reads when Postgres must not start with these options; throws when it does start. */
export async function readRefusal(options: OwnerOptions): Promise<Refusal> {
  const { child, said, exited } = await launch(options)
  if ('url' in said) child.kill('SIGTERM')
  await exited
  if ('url' in said) throw new Error('Postgres started, and should have been refused.')
  return said
}

async function launch(options: OwnerOptions) {
  const script = join(import.meta.dirname, 'database-owner.ts')
  const hooks = join(import.meta.dirname, '../../scripts/typescript.mjs')
  const child = spawn(process.execPath, ['--import', hooks, script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(options.tempDir ? { TMPDIR: options.tempDir } : {}) },
  })
  owners.set(child, options)
  const exited = new Promise<number | null>((done) => child.once('exit', done))
  void exited.then(() => owners.delete(child))
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([new Promise<string>((done) => lines.once('line', done)), exited])
  if (typeof first !== 'string') throw new Error(`The owner ended with ${first} and said nothing.`)
  return { child, exited, said: JSON.parse(first) as { url: string } | Refusal }
}

/** Ends every owner that a test left running, and waits for their databases to be gone. */
export async function killOwners(): Promise<void> {
  const running = [...owners.entries()]
  for (const [child] of running) child.kill('SIGKILL')
  for (const [, { dataDir }] of running) await untilNoProcessIn(dataDir)
}

/** One query on a connection of its own. */
export async function queryOnce<Row extends object>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url }).on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query(sql, values)
    return rows
  } finally {
    await client.end()
  }
}

/** The processes that work inside a data folder, or were started for it: Postgres and its watchdog. */
export function listProcessesIn(dataDir: string): number[] {
  if (process.platform !== 'linux') return []
  const folder = join(resolve(dataDir), 'postgres')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => workingFolder(name).startsWith(folder))
    .map(Number)
}

function workingFolder(pid: string): string {
  try {
    // A dead one that its parent has not waited for has no folder any more.
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

/** The number of the Postgres that serves a data folder. */
export function postmasterPid(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8'), 10)
}

/** Waits until the data folder has no process any more. */
export async function untilNoProcessIn(dataDir: string): Promise<void> {
  while (listProcessesIn(dataDir).length > 0) await new Promise((done) => setTimeout(done, 20))
}
