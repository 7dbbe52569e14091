import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyMigrations } from '../../lib/db/migrate'
import { createScratchDatabase, type ScratchDatabase } from '../support/database'
import { queryOnce } from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'

let database: ScratchDatabase
let folder: ReturnType<typeof makeOwnFolder>

beforeEach(async () => {
  database = await createScratchDatabase()
  folder = makeOwnFolder('migrations')
  write('1_first', 'CREATE TABLE word (id int PRIMARY KEY, text text NOT NULL);')
  write('2_second', "INSERT INTO word VALUES (1, 'one'); ALTER TABLE word ADD COLUMN length int;")
})

afterEach(async () => {
  await database.drop()
  folder.remove()
})

function write(name: string, sql: string): void {
  mkdirSync(join(folder.path, name), { recursive: true })
  writeFileSync(join(folder.path, name, 'migration.sql'), sql)
}

const apply = () => applyMigrations({ connectionString: database.url }, folder.path)
const listRecords = () =>
  queryOnce<{ migration_name: string; checksum: string }>(
    database.url,
    `SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY started_at`,
  )

test('all are applied in order, once, and later ones follow', async () => {
  expect(await apply()).toEqual(['1_first', '2_second'])
  expect(await apply()).toEqual([])
  write('3_third', 'DROP TABLE word')
  expect(await apply()).toEqual(['3_third'])
  expect((await listRecords()).map((record) => record.migration_name)).toEqual([
    '1_first',
    '2_second',
    '3_third',
  ])
})

test('each is recorded with the checksum that Prisma’s own command line computes', async () => {
  write('1_first', 'SELECT 1;\n')
  rmSync(join(folder.path, '2_second'), { recursive: true })
  await apply()
  // printf 'SELECT 1;\n' | sha256sum
  const checksum = 'b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd'
  expect((await listRecords())[0]?.checksum).toBe(checksum)
})

test('servers that start at once apply each one once', async () => {
  const applied = await Promise.all([apply(), apply(), apply(), apply()])
  expect(applied.flat().sort()).toEqual(['1_first', '2_second'])
})

test('one that fails is undone whole, told in one line, and can be mended and tried again', async () => {
  write('3_third', 'CREATE TABLE half (id int); INSERT INTO nowhere VALUES (1);')
  await expect(apply()).rejects.toThrow(
    'The migration 3_third failed and was undone: relation "nowhere" does not exist',
  )
  expect(await queryOnce(database.url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }])
  write('3_third', 'CREATE TABLE half (id int);')
  expect(await apply()).toEqual(['3_third'])
})

test('one that was changed afterwards is told, and nothing is applied', async () => {
  await apply()
  write('2_second', 'SELECT 2')
  write('3_third', 'DROP TABLE word')
  await expect(apply()).rejects.toThrow('The migration 2_second was changed after it had been applied')
  expect(await queryOnce(database.url, 'SELECT text FROM word')).toEqual([{ text: 'one' }])
})

test('a database from a newer version is left alone', async () => {
  write('9_newer', 'SELECT 9')
  await apply()
  rmSync(join(folder.path, '9_newer'), { recursive: true })
  await expect(apply()).rejects.toThrow('was migrated by a newer AL-Chat (9_newer is not known here)')
})

test('one that Prisma’s command line began and did not finish is told', async () => {
  await apply()
  await queryOnce(
    database.url,
    `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '2_second'`,
  )
  await expect(apply()).rejects.toThrow('The migration 2_second failed earlier')
})

test('a database out of reach is told in one line', async () => {
  const away = applyMigrations({ connectionString: 'postgresql://nobody@127.0.0.1:9/none' }, folder.path)
  await expect(away).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^The database does not answer: \S/),
  })
})
