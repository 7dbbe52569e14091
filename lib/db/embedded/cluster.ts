import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@/lib/errors'
import { type Account, claimCluster, giveAway } from './account'
import type { Engine } from './engine'
import { explainFault } from './faults'

const MAJOR = '18'
const PASSWORD_FILE = 'al-chat.password'

/** The name of the only role in an embedded cluster. */
export const ROLE = 'al_chat'

/** The environment for Postgres' programs: nothing of the server's own, which holds secrets and could hold PG settings. */
export function bareEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC', ...extra }
}

/**
 * Where Postgres finds its folder. Under Linux it is entered through its working folder, so that an account which may
 * not walk there (DATA_DIR is 0700, and often inside root's home) can use it all the same.
 */
export function seenBy(account: Account, folder: string): string {
  return account.ids ? '/proc/self/cwd' : folder
}

/**
 * Makes the cluster, or checks the one that is there; returns its password.
 * A new cluster is made aside and renamed when it is whole, so that a crash leaves no half of one.
 */
export function prepareCluster(homeDir: string, account: Account, engine: Engine): string {
  const clusterDir = join(homeDir, 'cluster')
  for (const left of readdirSync(homeDir).filter((name) => name.startsWith('new-')))
    rmSync(join(homeDir, left), { recursive: true, force: true })
  if (existsSync(clusterDir)) requireMajor(clusterDir)
  else makeCluster(homeDir, account, engine)
  claimCluster(clusterDir, account)
  return readFileSync(join(clusterDir, PASSWORD_FILE), 'utf8')
}

function requireMajor(clusterDir: string): void {
  const file = join(clusterDir, 'PG_VERSION')
  const major = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'none'
  if (major === MAJOR && existsSync(join(clusterDir, PASSWORD_FILE))) return
  if (major === 'none' || major === MAJOR)
    throw new AppError(
      'unavailable',
      `${clusterDir} is not a database of AL-Chat: restore it, or move it away.`,
    )
  throw new AppError(
    'unavailable',
    `The database in ${clusterDir} was made by Postgres ${major}, and this is Postgres ${MAJOR}: move it over with pg_dump, or set another DATA_DIR.`,
  )
}

function makeCluster(homeDir: string, account: Account, engine: Engine): void {
  const stage = mkdtempSync(join(homeDir, 'new-'))
  const newDir = join(stage, 'cluster')
  mkdirSync(newDir, { mode: 0o700 })
  const password = randomBytes(24).toString('base64url')
  writeFileSync(join(stage, 'password'), password, { mode: 0o600 })
  giveAway(stage, account)
  runInitdb(newDir, account, engine)
  writeFileSync(join(newDir, PASSWORD_FILE), password, { mode: 0o600, flush: true })
  syncFolder(newDir)
  renameSync(newDir, join(homeDir, 'cluster'))
  syncFolder(homeDir)
  rmSync(stage, { recursive: true })
}

function runInitdb(newDir: string, account: Account, engine: Engine): void {
  const folder = seenBy(account, newDir)
  const wants = ['-D', folder, '-U', ROLE, '-E', 'UTF8', '--locale=C', '--locale-provider=builtin']
  const login = [
    '--builtin-locale=C.UTF-8',
    '-A',
    'scram-sha-256',
    `--pwfile=${folder}/../password`,
    '--no-instructions',
  ]
  const made = spawnSync(join(engine.binDir, 'initdb'), [...wants, ...login], {
    cwd: newDir,
    encoding: 'utf8',
    env: bareEnvironment(),
    ...account.ids,
  })
  if (made.status === 0) return
  rmSync(join(newDir, '..'), { recursive: true, force: true })
  throw explainFault(
    join(newDir, '../../..'),
    `${made.error?.message ?? ''}\n${made.stderr ?? ''}`,
    made.error,
  )
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  fsyncSync(fd)
  closeSync(fd)
}
