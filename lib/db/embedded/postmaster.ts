import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from './account'
import { bareEnvironment, seenBy } from './cluster'
import type { Engine } from './engine'

const LOG_LIMIT_BYTES = 4 * 1024 * 1024
const LOG_CHECK_MS = 60_000

/**
 * Runs Postgres, and ends it when the pipe on its standard input closes: however the server dies, even by `kill -9`,
 * the system closes that pipe. It lives in a session of its own, so that Ctrl-C reaches the server alone, which then
 * closes its connections first. $1 is a folder to remove at the end, or empty.
 */
const WATCHDOG = `
trap '' HUP INT TERM
trap 'kill -INT $postgres 2>/dev/null' USR1
copy=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- & postgres=$!
(read -r _ <&3; kill -USR1 $$) & reader=$!
while :; do wait $postgres; code=$?; kill -0 $postgres 2>/dev/null || break; done
kill $reader 2>/dev/null
[ -z "$copy" ] || rm -rf "$copy" 2>/dev/null
exit $code
`

/** Small memory, full durability: fsync and full_page_writes stay on. No user's words reach the log. */
const SETTINGS = {
  cluster_name: 'al-chat',
  shared_buffers: '48MB',
  max_connections: '40',
  max_wal_size: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_parallel_workers: '2',
  autovacuum_max_workers: '2',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  unix_socket_permissions: '0700',
}

/** How clients reach Postgres: a socket in the cluster's folder, or a port on loopback. */
export type Listening = { socket: true } | { port: number }

type Launch = {
  homeDir: string
  account: Account
  engine: Engine
  listening: Listening
  strangerPid: number | undefined
}

/** A running Postgres under its watchdog. `exited` settles when both are gone; `report` is what it logged since. */
export type Postmaster = {
  exited: Promise<void>
  hasExited(): boolean
  report(): string
  stop(): Promise<void>
}

/** Starts Postgres on a prepared cluster; the caller waits until it answers. */
export function launchPostmaster(launch: Launch): Postmaster {
  const logFile = join(launch.homeDir, 'postgres.log')
  const log = openSync(logFile, 'a+', 0o600)
  const before = fstatSync(log).size
  const child = spawnWatchdog(launch, log)
  const watch = setInterval(() => boundLog(log, logFile), LOG_CHECK_MS).unref()
  let gone = false
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  }).then(() => {
    gone = true
    clearInterval(watch)
  })
  return {
    exited,
    hasExited: () => gone,
    report: () => readFrom(log, before),
    stop: async () => {
      child.stdin?.destroy()
      await exited
      closeSync(log)
    },
  }
}

function spawnWatchdog(launch: Launch, log: number): ChildProcess {
  const { account, engine, strangerPid } = launch
  const clusterDir = join(launch.homeDir, 'cluster')
  const program = [
    join(engine.binDir, 'postgres'),
    '-D',
    seenBy(account, clusterDir),
    ...settings(launch.listening),
  ]
  return spawn('/bin/sh', ['-c', WATCHDOG, 'al-chat-database', engine.copyDir ?? '', ...program], {
    cwd: clusterDir,
    detached: true,
    stdio: ['pipe', log, log],
    // Postgres takes a lock file with this number in it for a stale one, and still checks its shared memory.
    env: bareEnvironment(strangerPid ? { PG_GRANDPARENT_PID: String(strangerPid) } : {}),
    ...account.ids,
  })
}

function settings(listening: Listening): string[] {
  const where =
    'port' in listening
      ? { listen_addresses: '127.0.0.1', port: String(listening.port), unix_socket_directories: '' }
      : // Relative to the cluster, so that the length of its path does not matter.
        { listen_addresses: '', port: '5432', unix_socket_directories: '.' }
  return Object.entries({ ...SETTINGS, ...where }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

// Postgres appends, so that truncating is safe while it writes.
function boundLog(log: number, logFile: string): void {
  if (fstatSync(log).size < LOG_LIMIT_BYTES) return
  copyFileSync(logFile, `${logFile}.old`)
  ftruncateSync(log, 0)
}

function readFrom(log: number, start: number): string {
  const { size } = fstatSync(log)
  const from = Math.max(start > size ? 0 : start, size - 64 * 1024)
  const bytes = Buffer.alloc(size - from)
  readSync(log, bytes, 0, bytes.length, from)
  return bytes.toString('utf8')
}
