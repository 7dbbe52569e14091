import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { followToEnd, openTalk, send, type Talk, textOf } from '../support/chat'
import { Client, type Json, signUp } from '../support/client'
import { createScratchDatabase, type ScratchDatabase } from '../support/database'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'
import { VaultRows } from '../support/vault-rows'

/*
 * The key of the vault is changed while the server serves, crashes, and is not alone.
 */

type Person = Client & { email: string; userId: string }

const secret = 'the secret of these servers, 32 bytes or more'
const patience = { timeout: 60_000, interval: 20 }
let database: ScratchDatabase
let openai: OpenAIServer
let vault: VaultRows
let admin: Person
let first: TestServer
const started: TestServer[] = []

const asked = new Set<string>()

beforeAll(async () => {
  database = await createScratchDatabase()
  openai = await startOpenAI({
    acceptKey: (key) => {
      asked.add(key)
      return key.startsWith('sk-test-')
    },
  })
  first = await start()
  vault = new VaultRows(database.url, secret)
  await vault.open()
  admin = await signUp(first.url, 'admin')
})
afterAll(async () => {
  await vault.close()
  for (const server of started) await server.close()
  await openai.close()
  await database.drop()
})

async function start(env: Record<string, string> = {}): Promise<TestServer> {
  const shared = { DATABASE_URL: database.url, VAULT_KEY: secret, AUTH_SECRET: `${secret} too` }
  const server = await startServer({ ...shared, ...env })
  started.push(server)
  return server
}

async function rotate(by: Client): Promise<{ from_version: number; to_version: number }> {
  const { status, body, text } = await by.post('/api/credentials/rotate')
  expect(status, text).toBe(202)
  return body as unknown as { from_version: number; to_version: number }
}

/** Until nothing may lie under any key but this. */
async function untilOnly(version: number): Promise<void> {
  const live = async () => (await vault.keys()).filter(({ retired_at }) => retired_at === null)
  await expect.poll(async () => (await live()).map((key) => key.version), patience).toEqual([version])
}

const at = (server: TestServer, { token, email, userId }: Person): Person =>
  Object.assign(new Client(server.url, token), { email, userId })

async function keep(by: Person, apiKey: string, baseUrl = openai.baseUrl): Promise<string> {
  const body = { credentialType: 'openai', baseUrl, credentials: { api_key: apiKey } }
  const { status, body: made, text } = await by.post('/api/credentials', body)
  expect(status, text).toBe(201)
  return String(made.id)
}

test('50 chats stream and begin while rotation follows rotation, and every one is completed with its own key', async () => {
  openai.script(
    { text: Array.from({ length: 60 }, (_, n) => `word${n} `), delayMs: 30 },
    { times: Number.POSITIVE_INFINITY },
  )
  const talks: Talk[] = []
  for (let n = 0; n < 10; n += 1) {
    const talk = await openTalk(first.url, { model_provider: 'openai' })
    await keep(talk.user, `sk-test-chat-${n}`)
    talks.push(talk)
    for (let more = 1; more < 5; more += 1) {
      const opened = await talk.user.post(`/api/agents/${talk.agentId}/conversations`)
      talks.push({ ...talk, conversationId: String(opened.body.conversation?.id) })
    }
  }
  expect(talks).toHaveLength(50)
  asked.clear()
  let isOver = false
  const chats = Promise.all(
    talks.map(async (talk, n) => {
      await new Promise((begin) => setTimeout(begin, 100 * n))
      const { reply } = await send(talk, 'Hello')
      return followToEnd(talk.user, reply.events_url)
    }),
  ).finally(() => {
    isOver = true
  })
  let rotations = 0
  let unfinished: unknown = null
  while (!isOver) {
    const { to_version } = await rotate(admin).catch((error) => {
      unfinished = error
      return { to_version: 0 }
    })
    if (unfinished) break
    await untilOnly(to_version)
    rotations += 1
  }
  const answers = await chats
  expect(unfinished).toBeNull()
  for (const events of answers) {
    expect(events.at(-1)?.type).toBe('completed')
    expect(textOf(events)).toMatch(/^word0 .*word59 $/)
  }
  expect(rotations).toBeGreaterThan(3)
  expect([...asked].sort()).toEqual(Array.from({ length: 10 }, (_, n) => `sk-test-chat-${n}`).sort())
  openai.reset()
}, 120_000)

describe('with a thousand records', () => {
  const count = 1000

  test('a crash in the middle leaves all of them whole, and the next start goes on to the end', async () => {
    const own = await keep(admin, 'sk-test-own-5a5a')
    const [before] = await vault.query<Json>('SELECT * FROM credentials WHERE id = $1', [own])
    const version = (await vault.keys()).at(-1)?.version ?? 0
    await vault.seed(admin.userId, count, version)
    const begun = await rotate(admin)
    expect(begun).toEqual({ from_version: version, to_version: version + 1 })
    await expect
      .poll(() => vault.countUnder(begun.to_version), { ...patience, interval: 2 })
      .toBeGreaterThan(100)
    await first.kill()
    expect(await vault.countUnder(begun.from_version)).toBeGreaterThan(0)
    expect(await vault.countWhole()).toBe(count)

    const again = await first.restart()
    started.push(again)
    first = again
    admin = at(again, admin)
    await untilOnly(begun.to_version)
    expect(await vault.countUnder(begun.from_version)).toBe(0)
    expect(await vault.countWhole()).toBe(count)
    expect((await admin.post(`/api/credentials/${own}/test`)).body).toMatchObject({ ok: true })

    const now = await vault.query<Json>('SELECT * FROM credentials WHERE id = $1', [own])
    const putBack = (row: Json | undefined) =>
      vault.query('UPDATE credentials SET kek_version = $2, wrapped_key = $3, sealed = $4 WHERE id = $1', [
        own,
        row?.kek_version,
        row?.wrapped_key,
        row?.sealed,
      ])
    await putBack(before)
    const refused = await admin.post(`/api/credentials/${own}/test`)
    expect(refused.body).toMatchObject({ ok: false, error: expect.stringContaining('no longer valid') })
    expect(refused.text).not.toContain('sk-test-own')
    await putBack(now[0])
    expect((await admin.post(`/api/credentials/${own}/test`)).body).toMatchObject({ ok: true })
  }, 120_000)

  test('two servers that are asked at once make one rotation of it, and one goes on when the other is killed', async () => {
    const second = await start()
    const there = at(second, admin)
    const [one, two] = await Promise.all([rotate(admin), rotate(there)])
    expect(one).toEqual(two)
    await expect
      .poll(() => vault.countUnder(one.to_version), { ...patience, interval: 2 })
      .toBeGreaterThan(100)
    await second.kill()
    await untilOnly(one.to_version)
    expect(await vault.countWhole()).toBe(count)
    const written = await vault.query<{ action: string; count: number }>(
      `SELECT action, count(*)::int AS count FROM audit_events
       WHERE action LIKE 'vault.%' AND detail->>'toVersion' = $1 GROUP BY action ORDER BY action`,
      [String(one.to_version)],
    )
    expect(written).toEqual([
      { action: 'vault.rotate', count: 1 },
      { action: 'vault.rotated', count: 1 },
    ])
  }, 120_000)

  test('a wrong or missing secret is one clear line at the start, and destroys nothing', async () => {
    await first.stop()
    const before = await vault.dump()
    await expect(start({ VAULT_KEY: 'another secret of 32 bytes or even more' })).rejects.toThrow(
      /AL-Chat: VAULT_KEY .* is not the key of this vault, and \d+ credentials are sealed with the right one\. .*\n/,
    )
    await expect(start({ VAULT_KEY: '' })).rejects.toThrow(
      /AL-Chat: The key of the vault is missing, and \d+ credentials are sealed with it\. .*\n/,
    )
    expect(await vault.dump()).toEqual(before)
    first = await first.restart()
    started.push(first)
    admin = at(first, admin)
    expect((await admin.get('/api/credentials')).status).toBe(200)
  }, 120_000)

  test('the secret itself is changed at a start that knows both; the former one is of no use afterwards', async () => {
    const owner = await signUp(first.url, 'owner')
    const own = await keep(owner, 'sk-test-new-secret-7b7b')
    await first.stop()
    const next = 'the next secret of these servers, as long'
    const both = await first.restart({ VAULT_KEY: next, VAULT_KEY_PREVIOUS: secret })
    started.push(both)
    expect(both.output()).toContain('VAULT_KEY_PREVIOUS is not needed any more')
    expect((await at(both, owner).post(`/api/credentials/${own}/test`)).body).toMatchObject({ ok: true })
    await both.stop()
    await expect(first.restart()).rejects.toThrow(/VAULT_KEY .* is not the key of this vault/)
    const after = await first.restart({ VAULT_KEY: next })
    started.push(after)
    expect((await at(after, owner).post(`/api/credentials/${own}/test`)).body).toMatchObject({ ok: true })
    const { to_version } = await rotate(at(after, admin))
    await untilOnly(to_version)
    expect((await at(after, owner).post(`/api/credentials/${own}/test`)).body).toMatchObject({ ok: true })
  }, 120_000)
})
