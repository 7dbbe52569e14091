import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@/lib/errors'
import { commandOf, folderOf, identifyProcess, isAlive, type ProcessIdentity } from './processes'

/** Who serves a data folder, and what it must clean up. `leftovers` are temporary paths outside the data folder. */
type Ownership = ProcessIdentity & { leftovers: string[] }

// With its watchdog an orphan ends by itself, within a second or two.
const ORPHAN_PATIENCE_MS = 3000
const STOP_PATIENCE_MS = 60_000
const POLL_MS = 25

/**
 * Takes the data folder for this process, once the last owner is dead; returns how to note leftovers and let go.
 * Throws unavailable when another server is using the folder, and does that server no harm.
 */
export function takeOwnership(homeDir: string, dataDir: string) {
  const file = join(homeDir, 'owner.json')
  const me: Ownership = { ...requireSelf(), leftovers: [] }
  const mine = `${file}.${me.pid}`
  writeFileSync(mine, JSON.stringify(me), { mode: 0o600 })
  try {
    while (!linkIfAbsent(mine, file)) removeDeadOwner(file, dataDir)
  } finally {
    rmSync(mine, { force: true })
  }
  return {
    noteLeftover(path: string): void {
      me.leftovers.push(path)
      writeFileSync(file, JSON.stringify(me), { mode: 0o600 })
    },
    release(): void {
      for (const path of me.leftovers) rmSync(path, { recursive: true, force: true })
      rmSync(file, { force: true })
    },
  }
}

function requireSelf(): ProcessIdentity {
  const me = identifyProcess(process.pid)
  if (!me)
    throw new AppError('unavailable', 'The system does not tell which processes run: /proc or ps is missing.')
  return me
}

function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function removeDeadOwner(file: string, dataDir: string): void {
  const owner = readOwner(file)
  if (owner && isAlive(owner))
    throw new AppError(
      'unavailable',
      `Another server (process ${owner.pid}) is using ${dataDir}: stop it first, or set another DATA_DIR.`,
    )
  // Renamed before it is removed, so that of two servers starting at once only one clears away the same file.
  const aside = `${file}.dead.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return // The other one was quicker.
  }
  const moved = readOwner(aside)
  if (moved && isAlive(moved)) linkIfAbsent(aside, file)
  else for (const path of moved?.leftovers ?? []) removeLeftover(path)
  rmSync(aside, { force: true })
}

// The file could have been edited: only what this program makes outside the data folder is ever removed.
function removeLeftover(path: string): void {
  if (/\/al-chat-(postgres|socket)-\w{6}$/.test(path)) rmSync(path, { recursive: true, force: true })
}

function readOwner(file: string): Ownership | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8'))
    return typeof owner.pid === 'number' && typeof owner.started === 'string' ? owner : undefined
  } catch {
    return undefined
  }
}

/**
 * Waits until a Postgres left on the cluster by a killed server is gone, and stops it if it does not go by itself.
 * Nothing is signalled that is not a Postgres on this very folder. Returns the number in postmaster.pid, so that Postgres
 * can be told to take no notice of it: it may belong to some other program by now, or to a dead one that nobody has
 * waited for yet, which Postgres takes for alive.
 */
export async function clearOrphan(clusterDir: string): Promise<number | undefined> {
  const pid = readPostmasterPid(clusterDir)
  if (!pid || !isPostgresOn(pid, clusterDir)) return pid
  if (await isGone(pid, clusterDir, ORPHAN_PATIENCE_MS)) return pid
  process.kill(pid, 'SIGINT')
  if (await isGone(pid, clusterDir, STOP_PATIENCE_MS)) return pid
  throw new AppError(
    'unavailable',
    `An old Postgres (process ${pid}) does not let go of ${clusterDir}: stop it first.`,
  )
}

/** The process number that Postgres wrote into its lock file, if there is one. */
function readPostmasterPid(clusterDir: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8'), 10)
    return pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function isPostgresOn(pid: number, clusterDir: string): boolean {
  const command = commandOf(pid)
  if (!/(^|\/)postgres(\s|$)/.test(command.split(' -D ')[0] ?? '')) return false
  const folder = folderOf(pid)
  return folder ? folder === resolve(clusterDir) : command.includes(` -D ${resolve(clusterDir)} `)
}

async function isGone(pid: number, clusterDir: string, patienceMs: number): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(POLL_MS))
    if (!isPostgresOn(pid, clusterDir)) return true
  return false
}
