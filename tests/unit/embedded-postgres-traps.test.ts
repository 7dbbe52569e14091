import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findNativeDir } from '../../lib/db/embedded/engine'
import { explainFault } from '../../lib/db/embedded/faults'
import {
  isRoot,
  killOwners,
  listProcessesIn,
  ORDINARY_UID,
  type OwnerOptions,
  postmasterPid,
  queryOnce,
  readRefusal,
  startOwner,
  untilNoProcessIn,
} from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'

let folder: ReturnType<typeof makeOwnFolder>
let dataDir: string
let tempDir: string

beforeEach(() => {
  folder = makeOwnFolder('traps')
  dataDir = join(folder.path, 'data')
  tempDir = join(folder.path, 'tmp')
  mkdirSync(tempDir)
  // As open as /tmp is, and within everybody's reach.
  chmodSync(tempDir, 0o1777)
  chmodSync(folder.path, 0o711)
})

afterEach(async () => {
  await killOwners()
  folder.remove()
})

const one = async (url: string) => expect(await queryOnce(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])

const start = (options: OwnerOptions) => startOwner({ tempDir, ...options })

/** Copies of the engine and links to sockets that exist just now. */
const listTemporary = () => readdirSync(tempDir).filter((name) => /^al-chat-(postgres|socket)-/.test(name))

/** The engine as npm lays it down when it holds back install scripts, in a folder that only this user can enter. */
function unpackEngine(): string {
  const closed = join(folder.path, 'only mine')
  const nativeDir = join(closed, 'native')
  mkdirSync(closed, { mode: 0o700 })
  cpSync(findNativeDir(), nativeDir, { recursive: true, filter: (path) => !lstatSync(path).isSymbolicLink() })
  for (const program of readdirSync(join(nativeDir, 'bin'))) chmodSync(join(nativeDir, 'bin', program), 0o644)
  return nativeDir
}

describe('the programs', () => {
  test('run without the links and modes that npm’s held-back script would have made', async () => {
    const nativeDir = unpackEngine()
    expect(spawnSync(join(nativeDir, 'bin/postgres'), ['--version']).status).not.toBe(0)
    const owner = await start({ dataDir, nativeDir })
    await one(owner.url)
    await owner.stop()
  })

  test('run from a folder with a space that only this user can enter, and leave no copy behind', async () => {
    const nativeDir = unpackEngine()
    const owner = await start({ dataDir: join(folder.path, 'only mine/my data'), nativeDir })
    await one(owner.url)
    // Only root needs a copy, since it runs them as somebody who cannot walk there.
    expect(listTemporary()).toHaveLength(isRoot ? 1 : 0)
    await owner.stop()
    expect(listTemporary()).toEqual([])
  })

  test('leave no copy behind after a kill either', async () => {
    const closedData = join(folder.path, 'only mine/my data')
    const owner = await start({ dataDir: closedData, nativeDir: unpackEngine() })
    await owner.kill()
    await untilNoProcessIn(closedData)
    expect(listTemporary()).toEqual([])
  })

  test('that somebody was copying when the server was killed are removed by the next one', async () => {
    await (await start({ dataDir })).stop()
    const copyDir = mkdtempSync(join(tempDir, 'al-chat-postgres-'))
    writeFileSync(join(copyDir, 'postgres'), 'half of it')
    const note = { pid: 2 ** 22 + 1, started: 'long ago', leftovers: [copyDir] }
    writeFileSync(join(dataDir, 'postgres/owner.json'), JSON.stringify(note))
    await one((await start({ dataDir })).url)
    expect(existsSync(copyDir)).toBe(false)
  })

  test('that are missing for this platform are named', () => {
    expect(() => findNativeDir('/nowhere')).toThrow(
      /no built-in Postgres for .* in node_modules: run npm install/,
    )
  })
})

describe('users', () => {
  test('the server’s user is never root’s Postgres', async () => {
    await start({ dataDir })
    const owner = statSync(`/proc/${postmasterPid(dataDir)}`).uid
    expect(owner).not.toBe(0)
    if (!isRoot) expect(owner).toBe(process.getuid?.())
  })

  test('a backup that root restored as its own is given back to Postgres', async () => {
    await (await start({ dataDir })).stop()
    const version = join(dataDir, 'postgres/cluster/PG_VERSION')
    if (isRoot) for (const path of [version, join(dataDir, 'postgres/cluster')]) chownSync(path, 0, 0)
    await one((await start({ dataDir })).url)
    expect(statSync(version).uid).toBe(statSync(join(dataDir, 'postgres/cluster')).uid)
  })

  test('another user’s database is refused in one line, and nothing of it changes', async () => {
    await (await start({ dataDir })).stop()
    if (!isRoot) return expect(statSync(dataDir).uid).toBe(process.getuid?.())
    for (const path of [folder.path, dataDir, join(dataDir, 'postgres')]) chmodSync(path, 0o777)
    const { message } = await readRefusal({ dataDir, uid: ORDINARY_UID })
    expect(message).toMatch(/belongs to another user \(uid \d+\): start AL-Chat as that user/)
  })
})

describe('long paths', () => {
  test('a data folder far below the limit of sockets works, and leaves no link behind', async () => {
    const deep = join(folder.path, 'a'.repeat(90), 'b'.repeat(90))
    const owner = await start({ dataDir: deep })
    await one(owner.url)
    expect(listTemporary().filter((name) => name.includes('socket'))).toHaveLength(1)
    await owner.stop()
    expect(listTemporary()).toEqual([])
  })

  test('a link that a killed server left is removed by the next one', async () => {
    const deep = join(folder.path, 'a'.repeat(90), 'b'.repeat(90))
    await (await start({ dataDir: deep })).kill()
    await (await start({ dataDir: deep })).stop()
    expect(listTemporary()).toEqual([])
  })
})

describe('two servers on one data folder', () => {
  test('the second is told so in one line, and the first goes on', async () => {
    const first = await start({ dataDir })
    const { code, message } = await readRefusal({ dataDir })
    expect(code).toBe('unavailable')
    expect(message).toBe(
      `Another server (process ${first.pid}) is using ${dataDir}: stop it first, or set another DATA_DIR.`,
    )
    await one(first.url)
  })

  test('of several that start at once on a new folder, exactly one serves', async () => {
    const tries = await Promise.allSettled([1, 2, 3, 4].map(() => start({ dataDir })))
    const serving = tries.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const refusals = tries.flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason)] : [],
    )
    expect(serving).toHaveLength(1)
    for (const refusal of refusals) expect(refusal).toMatch(/Another server .*is using/)
    await one(serving[0]?.url ?? '')
  })

  test('of several that start at once after a crash, exactly one serves', async () => {
    await (await start({ dataDir })).kill()
    const tries = await Promise.allSettled([1, 2, 3, 4].map(() => start({ dataDir })))
    const serving = tries.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(serving).toHaveLength(1)
    await one(serving[0]?.url ?? '')
  })
})

describe('what a killed server leaves', () => {
  test('Postgres ends by itself, cleanly', async () => {
    const owner = await start({ dataDir })
    await owner.kill()
    await untilNoProcessIn(dataDir)
    expect(readFileSync(join(dataDir, 'postgres/postgres.log'), 'utf8')).toMatch(
      /database system is shut down\s*$/,
    )
    expect(existsSync(join(dataDir, 'postgres/cluster/postmaster.pid'))).toBe(false)
  })

  test('a Postgres without its watchdog is stopped by the next server, and what it held is there', async () => {
    const owner = await start({ dataDir })
    await queryOnce(owner.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    const postgres = postmasterPid(dataDir)
    const family = [postgres, ...listChildren(postgres)]
    for (const pid of listProcessesIn(dataDir)) if (!family.includes(pid)) process.kill(pid, 'SIGKILL')
    await owner.kill()
    expect(listProcessesIn(dataDir)).toContain(postgres)
    const next = await start({ dataDir })
    expect(await queryOnce(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(listProcessesIn(dataDir)).not.toContain(postgres)
  })

  test('nothing at all: with the database killed too, the next server starts at once, over and over', async () => {
    for (let life = 1; life <= 4; life++) {
      const owner = await start({ dataDir })
      await queryOnce(owner.url, `CREATE TABLE life_${life} AS SELECT 42 AS answer`)
      const everything = listProcessesIn(dataDir)
      for (const pid of everything) process.kill(pid, 'SIGKILL')
      await owner.kill()
    }
    const { url } = await start({ dataDir })
    for (let life = 1; life <= 4; life++)
      expect(await queryOnce(url, `SELECT answer FROM life_${life}`)).toEqual([{ answer: 42 }])
  })

  test('a lock file whose number now belongs to a stranger does not keep Postgres from starting, nor harm the stranger', async () => {
    await (await start({ dataDir })).stop()
    const ids = isRoot ? statSync(join(dataDir, 'postgres/cluster')) : undefined
    // Named as Postgres is and run by the same user: only its folder tells that it is none of this database.
    const stranger = spawn('sleep', ['60'], {
      argv0: 'postgres',
      ...(ids ? { uid: ids.uid, gid: ids.gid } : {}),
      cwd: '/',
    })
    const lock = join(dataDir, 'postgres/cluster/postmaster.pid')
    writeFileSync(lock, `${stranger.pid}\n/proc/self/cwd\n1\n5432\n.\n\n0 0\nready   \n`)
    if (ids) chownSync(lock, ids.uid, ids.gid)
    const owner = await start({ dataDir })
    await one(owner.url)
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
    stranger.kill()
  })

  test('an owner’s note whose number now belongs to a stranger counts for nothing', async () => {
    await (await start({ dataDir })).stop()
    const note = { pid: process.pid, started: 'another boot/1', leftovers: [join(folder.path, 'precious')] }
    writeFileSync(join(dataDir, 'postgres/owner.json'), JSON.stringify(note))
    writeFileSync(join(folder.path, 'precious'), 'kept')
    await one((await start({ dataDir })).url)
    expect(readFileSync(join(folder.path, 'precious'), 'utf8')).toBe('kept')
  })
})

describe('a Postgres that dies under a living server', () => {
  test.each([['socket' as const], ['loopback' as const]])(
    'is started again at the same address (%s)',
    async (listen) => {
      const owner = await start({ dataDir, listen })
      await queryOnce(owner.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
      for (let death = 0; death < 2; death++) {
        process.kill(postmasterPid(dataDir), 'SIGKILL')
        let kept: object[] = []
        while (kept.length === 0) kept = await queryOnce(owner.url, 'SELECT answer FROM kept').catch(() => [])
        expect(kept).toEqual([{ answer: 42 }])
      }
      expect(await owner.stop()).toBe(0)
      expect(listProcessesIn(dataDir)).toEqual([])
    },
  )
})

describe('a full disk', () => {
  test('is told in one line, and no half of a database stays', async () => {
    mkdirSync(dataDir)
    // Needs a small file system; where this user may not mount one, only the sentence can be looked at.
    const small = `mount -t tmpfs -o size=8m tmpfs '${dataDir}'`
    if (spawnSync('sh', ['-c', small]).status !== 0)
      return expect(explainFault(dataDir, 'No space left on device').code).toBe('storage_full')
    try {
      const { code, message } = await readRefusal({ dataDir })
      expect(code).toBe('storage_full')
      expect(message).toBe(`The disk that holds ${dataDir} is full: free some space, then start again.`)
      expect(readdirSync(join(dataDir, 'postgres'))).toEqual([])
    } finally {
      spawnSync('sh', ['-c', `umount '${dataDir}'`])
      rmSync(dataDir, { recursive: true, force: true })
    }
  })
})

function listChildren(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number)
}
