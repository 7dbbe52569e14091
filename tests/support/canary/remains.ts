import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { secretFiles, secretsOfEnvironment, secretsOfFolder } from './given.ts'
import { CanaryRecord, type Counts, canaryFolder, storeOf } from './record.ts'
import { Searcher, type Secret, StreamSearch } from './searcher.ts'

/*
 * What a server leaves behind: what it has written to its output, its database, its files. All of these do nothing
 * where nobody watches.
 */

type Environment = Record<string, string>

/** The arguments for Node that have this server watched. */
export function watchArguments(): string[] {
  return canaryFolder() ? ['--import', join(import.meta.dirname, 'watch-server.ts')] : []
}

/** Searches all that a server says on its output, once it has ended. */
export function watchOutput(child: ChildProcess, env: Environment): void {
  const folder = canaryFolder()
  if (!folder) return
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: string | Buffer) => said.push(Buffer.from(piece as string)))
  child.once('close', () => {
    const watch = openWatch(folder, env.DATA_DIR ?? './data', env)
    const text = Buffer.concat(said)
    watch.record.count({ 'log lines': text.toString().split('\n').length - 1, bytes: text.length })
    for (const finding of watch.searcher.find(text)) watch.record.report(finding, 'the output of the server')
    watch.record.save()
  })
}

/**
 * Searches each row of each table of a database, as text and, where it holds bytes, as bytes. One that does not answer,
 * which some tests want, is counted as unread.
 */
export async function searchDatabase(url: string, dataDir: string, more: Secret[] = []): Promise<void> {
  const folder = canaryFolder()
  if (!folder) return
  const { record, searcher } = openWatch(folder, dataDir)
  for (const secret of more) searcher.add(secret)
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS })
  const isThere = await client
    .on('error', () => undefined)
    .connect()
    .then(
      () => true,
      () => false,
    )
  if (!isThere) return keepCount(record, { 'databases unread': 1 })
  try {
    for (const table of await listTables(client)) await searchTable(client, table, { record, searcher })
  } finally {
    await client.end()
    keepCount(record, { databases: 1 })
  }
}

const CONNECT_MS = 5000

function keepCount(record: CanaryRecord, counts: Counts): void {
  record.count(counts)
  record.save()
}

type OpenWatch = { record: CanaryRecord; searcher: Searcher }

function openWatch(folder: string, dataDir: string, env: Environment = {}): OpenWatch {
  const record = new CanaryRecord(folder, storeOf(dataDir))
  const known = [...record.readSecrets(), ...secretsOfEnvironment(env), ...secretsOfFolder(dataDir)]
  return { record, searcher: new Searcher(known) }
}

async function listTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  )
  return rows.map(({ name }) => name)
}

const PAGE_ROWS = 2000

async function searchTable(client: Client, table: string, { record, searcher }: OpenWatch): Promise<void> {
  const asText = { getTypeParser: () => (value: string) => value }
  await client.query(`BEGIN; DECLARE canary NO SCROLL CURSOR FOR SELECT * FROM ${table}`)
  for (;;) {
    const { rows, fields } = await client.query<string[]>({
      text: `FETCH ${PAGE_ROWS} FROM canary`,
      rowMode: 'array',
      types: asText as never,
    })
    for (const row of rows)
      for (const [index, value] of row.entries())
        for (const bytes of readingsOf(value))
          for (const finding of searcher.find(bytes))
            record.report(finding, `the database, ${table}.${fields[index]?.name}`)
    record.count({ rows: rows.length })
    if (rows.length < PAGE_ROWS) break
  }
  await client.query('COMMIT')
}

/** A value as it is told, and the bytes that a `bytea` stands for. */
function readingsOf(value: string | null): Buffer[] {
  if (value === null) return []
  const text = Buffer.from(value)
  return value.startsWith('\\x') ? [text, Buffer.from(value.slice(2), 'hex')] : [text]
}

const CHUNK = 1024 * 1024

/** Searches the files under a folder, all but those that are there to hold a secret. */
export function searchFiles(path: string, dataDir: string, except: string[] = []): void {
  const folder = canaryFolder()
  if (!folder || !existsSync(path)) return
  const { record, searcher } = openWatch(folder, dataDir)
  const lawful = secretFiles.map((name) => join(dataDir, name))
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (!entry.isFile() || lawful.includes(file) || except.some((part) => file.includes(part))) continue
    const bytes = readIfThere(file)
    const search = new StreamSearch(searcher)
    for (let at = 0; at < bytes.length; at += CHUNK)
      for (const finding of search.push(bytes.subarray(at, at + CHUNK)))
        record.report(finding, `the file ${file.slice(path.length + 1)}`)
    record.count({ files: 1, bytes: bytes.length })
  }
  record.save()
}

/** Empty for one that went away meanwhile, or is no file that can be read. */
function readIfThere(file: string): Buffer {
  try {
    return statSync(file).size > 0 ? readFileSync(file) : Buffer.alloc(0)
  } catch {
    return Buffer.alloc(0)
  }
}

/** Throws what was found by anybody who watched servers with this data folder. */
export function requireNoLeak(dataDir: string): void {
  const folder = canaryFolder()
  if (!folder) return
  const leaks = new CanaryRecord(folder, storeOf(dataDir)).readLeaks()
  if (leaks.length === 0) return
  const lines = leaks.map(
    ({ secret, form, where, around }) => `  ${secret}, ${form}: ${where}\n    ${around}`,
  )
  throw new Error(`Canary watch: ${leaks.length} times a secret was told.\n${lines.join('\n')}`)
}
