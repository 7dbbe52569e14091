import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readRun } from '../../scripts/canary.mjs'
import { type Leak, makeCanaryFolder } from '../support/canary/record'
import {
  requireNoLeak,
  searchDatabase,
  searchFiles,
  watchArguments,
  watchOutput,
} from '../support/canary/remains'
import { createScratchDatabase } from '../support/database'
import { queryOnce } from '../support/embedded'
import { makeOwnFolder } from '../support/own-folder'

/* A watch that finds nothing proves nothing: here are leaks, and it must find each. */

const secret = 'sk-test-planted-58c1f0aa77'
const script = join(import.meta.dirname, '../support/canary/planted.ts')

let folder: ReturnType<typeof makeOwnFolder>
let env: Record<string, string>
const before = process.env.AL_CANARY

let server: ChildProcess
let url: string

beforeAll(async () => {
  folder = makeOwnFolder('planted')
  process.env.AL_CANARY = join(folder.path, 'canary')
  makeCanaryFolder(process.env.AL_CANARY)
  env = { DATA_DIR: join(folder.path, 'data'), OPENAI_API_KEY: secret, AL_CANARY: process.env.AL_CANARY }
  server = await start()
})
afterEach(() => forgetLeaks())
afterAll(async () => {
  if (server.exitCode === null) await end(server)
  process.env.AL_CANARY = before ?? ''
  folder.remove()
})

async function start(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...watchArguments(), script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  watchOutput(child, env)
  const [said] = await once(child.stdout ?? child, 'data')
  url = String(said).trim()
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  await closed
}

function forgetLeaks(): void {
  for (const { store } of leaks()) writeFileSync(join(env.AL_CANARY ?? '', `${store}.leaks`), '')
}

const leaks = (): Leak[] => readRun(env.AL_CANARY ?? '').leaks
const places = () => leaks().map(({ where, form }) => [where, form])

test.each([
  ['/header', 'GET /header 200, x-debug', 'clear'],
  ['/written-head', 'GET /written-head 200, x-debug', 'clear'],
  ['/body', 'GET /body 200, body', 'clear'],
  ['/base64', 'GET /base64 200, body', 'base64'],
  ['/halves', 'GET /halves 200, body', 'clear'],
  ['/packed', 'GET /packed 200, body', 'clear'],
  ['/trailer', 'GET /trailer 200, trailer', 'clear'],
])('a secret that is told at %s is found', async (path, where, form) => {
  await (await fetch(url + path)).text()
  // The answer is here before the watch has looked at its end.
  await expect.poll(places).toEqual([[where, form]])
  expect(() => requireNoLeak(env.DATA_DIR ?? '')).toThrow(/1 times a secret was told/)
  expect(JSON.stringify(leaks())).not.toContain(secret)
})

test('a secret in an answer that is never ended is found', async () => {
  const answer = await fetch(`${url}/cut`)
  await expect(answer.text()).rejects.toThrow()
  await expect.poll(places).toEqual([['GET /cut 200, body', 'clear']])
})

test('a secret that is told to someone who speaks no HTTP is found', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write('what?\r\n\r\n'))
  await once(socket.resume(), 'close')
  await expect.poll(places).toEqual([['a connection', 'clear']])
})

test('what a request brings along is known before it is answered: an echo is found', async () => {
  const body = '{"password":"a password of mine", "oops'
  const headers = { 'content-type': 'application/json', authorization: 'Bearer not-a-token-of-ours' }
  await (await fetch(`${url}/echo`, { method: 'POST', body, headers })).text()
  await expect
    .poll(leaks)
    .toMatchObject([{ secret: /^password /, where: 'POST /echo 400, body' }].map(matching))
  const again = JSON.stringify({ said: 'not-a-token-of-ours' })
  await (await fetch(`${url}/echo`, { method: 'POST', body: again })).text()
  await expect
    .poll(() => leaks().map(({ secret: name }) => name.split(' ')[0]))
    .toEqual(['password', 'token'])
})

const matching = ({ secret: name, where }: { secret: RegExp; where: string }) => ({
  secret: expect.stringMatching(name),
  where,
})

test('a key that the server has from somebody else is known once it is used', async () => {
  await (await fetch(`${url}/lent`)).text()
  await expect.poll(places).toEqual([['GET /lent 200, body', 'clear']])
})

test('a token is lawful in the answer that gives it, and nowhere after', async () => {
  await (await fetch(`${url}/api/auth/login`, { method: 'POST' })).text()
  expect(leaks()).toEqual([])
  await (await fetch(`${url}/api/auth/me`)).text()
  await expect.poll(leaks).toMatchObject([{ where: 'GET /api/auth/me 200, body' }])
})

test('what is no secret is not found', async () => {
  expect(await (await fetch(`${url}/masked`)).text()).toContain(secret.slice(-4))
  expect(leaks()).toEqual([])
  expect(() => requireNoLeak(env.DATA_DIR ?? '')).not.toThrow()
})

test('a secret in a log line is found when the server has ended, also by a kill', async () => {
  await (await fetch(`${url}/log`)).text()
  const closed = once(server, 'close')
  server.kill('SIGKILL')
  await closed
  expect(places()).toEqual([['the output of the server', 'hex']])
  server = await start()
})

test.each([
  ['a row', `INSERT INTO notes (words) VALUES ('asked with ${secret}')`, 'words', 'clear'],
  ['JSON', `INSERT INTO notes (facts) VALUES ('{"a":["${secret}"]}')`, 'facts', 'clear'],
  ['bytes', `INSERT INTO notes (bytes) VALUES ('${secret}'::bytea)`, 'bytes', 'clear'],
  [
    'base64 within bytes',
    `INSERT INTO notes (bytes) VALUES ('${Buffer.from(secret).toString('base64')}'::bytea)`,
    'bytes',
    'base64',
  ],
])('a secret in the database is found: %s', async (_, sql, column, form) => {
  const database = await createScratchDatabase()
  await queryOnce(database.url, 'CREATE TABLE notes (words text, facts jsonb, bytes bytea)')
  await queryOnce(database.url, sql)
  await searchDatabase(database.url, env.DATA_DIR ?? '')
  expect(places()).toContainEqual([`the database, public.notes.${column}`, form])
  // Every scratch database is searched before it goes, also those of tests without a server.
  await expect(database.drop()).rejects.toThrow(/times a secret was told/)
})

test('a secret in a file is found, but for the files that are there to hold one', () => {
  const dataDir = env.DATA_DIR ?? ''
  mkdirSync(join(dataDir, 'logs'), { recursive: true })
  writeFileSync(join(dataDir, 'vault-key'), 'the key of this vault, long enough')
  searchFiles(dataDir, dataDir)
  expect(leaks()).toEqual([])
  writeFileSync(join(dataDir, 'logs/today'), 'the key of this vault, long enough')
  searchFiles(dataDir, dataDir)
  expect(places()).toEqual([['the file logs/today', 'clear']])
})

test('what was searched is counted', async () => {
  await (await fetch(`${url}/halves`)).text()
  await end(server)
  const { counts } = readRun(env.AL_CANARY ?? '')
  for (const what of ['answers', 'frames', 'bytes', 'log lines', 'rows', 'files', 'secrets'])
    expect(counts[what], what).toBeGreaterThan(0)
})
