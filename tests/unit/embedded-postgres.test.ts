import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { explainFault } from '../../lib/db/embedded/faults'
import { isRoot, killOwners, ORDINARY_UID, queryOnce, readRefusal, startOwner } from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'

let folder: ReturnType<typeof makeOwnFolder>
let dataDir: string

beforeEach(() => {
  folder = makeOwnFolder('embedded')
  dataDir = join(folder.path, 'data')
})

afterEach(async () => {
  await killOwners()
  folder.remove()
})

const cluster = () => join(dataDir, 'postgres/cluster')

/** A database with one row in it, stopped. */
async function makeDatabase(): Promise<void> {
  const owner = await startOwner({ dataDir })
  await queryOnce(owner.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await owner.stop()
}

async function expectKept(url: string): Promise<void> {
  expect(await queryOnce(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
}

describe('a new data folder', () => {
  test('gets a database that keeps its rows over a restart', async () => {
    await makeDatabase()
    const again = await startOwner({ dataDir })
    await expectKept(again.url)
    expect(await again.stop()).toBe(0)
  })

  test('is for its owner alone', async () => {
    await makeDatabase()
    for (const path of [dataDir, join(dataDir, 'postgres'), cluster()])
      expect(statSync(path).mode & 0o777, path).toBe(0o700)
  })

  test('speaks UTF-8 and UTC, and is durable', async () => {
    const { url } = await startOwner({ dataDir })
    const wanted = {
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
    }
    for (const [name, value] of Object.entries(wanted))
      expect(await queryOnce(url, `SELECT current_setting($1) AS value`, [name]), name).toEqual([{ value }])
    expect(await queryOnce(url, `SELECT lower('ÄÖÜ É') AS lower`)).toEqual([{ lower: 'äöü é' }])
  })

  test('holds no user’s words in its log', async () => {
    const { url } = await startOwner({ dataDir })
    await queryOnce(url, 'CREATE TABLE said (word text PRIMARY KEY)')
    await queryOnce(url, 'INSERT INTO said VALUES ($1)', ['sesame'])
    await expect(queryOnce(url, 'INSERT INTO said VALUES ($1)', ['sesame'])).rejects.toThrow(/duplicate key/)
    const log = readFileSync(join(dataDir, 'postgres/postgres.log'), 'utf8')
    expect(log).toContain('duplicate key')
    expect(log).not.toContain('sesame')
  })
})

describe('who may connect', () => {
  test('only who knows the password, also on loopback', async () => {
    const { url } = await startOwner({ dataDir, listen: 'loopback' })
    expect(new URL(url).hostname).toBe('127.0.0.1')
    const wrong = new URL(url)
    wrong.password = 'wrong'
    await expect(new Client({ connectionString: wrong.href }).connect()).rejects.toThrow(
      /password authentication failed/,
    )
    expect(await queryOnce(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('nobody over the network where there is a socket', async () => {
    const { url } = await startOwner({ dataDir })
    expect(await queryOnce(url, `SELECT current_setting('listen_addresses') AS addresses`)).toEqual([
      { addresses: '' },
    ])
  })
})

describe('a data folder that cannot be used', () => {
  test('a file in its place: one clear line, and the file is unharmed', async () => {
    writeFileSync(dataDir, 'precious')
    const { name, code, message } = await readRefusal({ dataDir })
    expect({ name, code }).toEqual({ name: 'AppError', code: 'unavailable' })
    expect(message).toBe(`${dataDir} is not a folder: move the file away, or set another DATA_DIR.`)
    expect(readFileSync(dataDir, 'utf8')).toBe('precious')
  })

  test('one that this user cannot write: one clear line', async () => {
    mkdirSync(dataDir)
    chmodSync(dataDir, 0o500)
    // An ordinary user who can walk there, but owns nothing of it.
    chmodSync(folder.path, 0o755)
    if (isRoot) chmodSync(dataDir, 0o755)
    const { code, message } = await readRefusal({ dataDir, uid: isRoot ? ORDINARY_UID : undefined })
    chmodSync(dataDir, 0o700)
    expect(code).toBe('unavailable')
    expect(message).toBe(
      `${dataDir} cannot be written by this user: change its owner, or set another DATA_DIR.`,
    )
    expect(readdirSync(dataDir)).toEqual([])
  })

  test('a database of another major version: one clear line, and not a byte is changed', async () => {
    await makeDatabase()
    writeFileSync(join(cluster(), 'PG_VERSION'), '17\n')
    const { message } = await readRefusal({ dataDir })
    expect(message).toMatch(/was made by Postgres 17, and this is Postgres 18: move it over with pg_dump/)
    writeFileSync(join(cluster(), 'PG_VERSION'), '18\n')
    await expectKept((await startOwner({ dataDir })).url)
  })

  test('a folder that is no database: one clear line, and nothing is removed', async () => {
    mkdirSync(cluster(), { recursive: true })
    writeFileSync(join(cluster(), 'letter.txt'), 'precious')
    const { message } = await readRefusal({ dataDir })
    expect(message).toMatch(/is not a database of AL-Chat: restore it, or move it away/)
    expect(readFileSync(join(cluster(), 'letter.txt'), 'utf8')).toBe('precious')
  })

  test('every fault is told in one line without a stack', () => {
    for (const report of [
      'initdb: error: could not write: No space left on device',
      'FATAL:  something new',
      '',
    ])
      expect(explainFault('/data', report).message).toMatch(/^[^\n]+[.:] ?[^\n]*$/)
    expect(explainFault('/data', 'PANIC:  could not write: No space left on device').code).toBe(
      'storage_full',
    )
  })
})

describe('a database that a crash or a backup left behind', () => {
  test('half of a new one is cleared away and made again', async () => {
    mkdirSync(join(dataDir, 'postgres/new-Xy12Zw/cluster/base'), { recursive: true })
    await makeDatabase()
    expect(readdirSync(join(dataDir, 'postgres')).filter((name) => name.startsWith('new-'))).toEqual([])
    expect(existsSync(join(cluster(), 'PG_VERSION'))).toBe(true)
  })

  test('a restored copy that lost its modes is mended', async () => {
    await makeDatabase()
    chmodSync(cluster(), 0o755)
    await expectKept((await startOwner({ dataDir })).url)
    expect(statSync(cluster()).mode & 0o777).toBe(0o700)
  })
})
