import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { v7 as newId } from 'uuid'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '../../lib/auth'
import { type JsonObject, RecordMetrics, StartSession, StopSession } from '../../lib/contracts/sessions'
import { db } from '../../lib/db'
import {
  closeSessionLog,
  endSilentSessions,
  getChatSession,
  leaveSession,
  listChatSessions,
  openSessionLog,
  readDayLog,
  readSessionLines,
  recordMetrics,
  startSession,
  stopSession,
} from '../../lib/sessions'
import { makeActor, openLibrary } from '../support/library'
import { makeOwnFolder } from '../support/own-folder'
import { listLogFiles, readSessionLog } from '../support/session-log'

const folder = makeOwnFolder('session-log')
const logDir = `${folder.path}/SessionLog`
let close: () => Promise<void>
let ada: Actor

beforeAll(async () => {
  close = await openLibrary({ SESSION_LOG_DIR: logDir })
})
beforeEach(async () => {
  process.env.TZ = 'UTC'
  rmSync(logDir, { recursive: true, force: true })
  await openSessionLog()
  ada = await makeActor('ada')
})
afterEach(async () => {
  await db().chatSession.deleteMany()
})
afterAll(async () => {
  await closeSessionLog()
  await close()
  folder.remove()
})

const eventsOf = (sessionId: string) => readSessionLog(logDir).filter((line) => line.session_id === sessionId)
const start = (now?: Date, actor = ada) => startSession(actor, {}, now)
const stop = (sessionId: string, metrics?: JsonObject, now?: Date) =>
  stopSession(ada, { session_id: sessionId, ...(metrics && { metrics }) }, now)

test('a session is one line at its start, one for each metric, and one at its end', async () => {
  const now = new Date('2026-11-21T10:11:12.345Z')
  const begun = await startSession(ada, { username: 'somebody else', metadata: { page: 'chat' } }, now)
  expect(begun).toEqual({
    success: true,
    session_id: 'session_20261121_101112',
    timestamp: '2026-11-21T10:11:12.345Z',
  })
  const sessionId = begun.session_id
  await recordMetrics(ada, { session_id: sessionId, metrics: { clicks: 1, tone: 'kind' } }, now)
  const ended = await stop(sessionId, { clicks: 3 })
  expect(ended.metrics).toMatchObject({ clicks: 3, tone: 'kind', messages: 0, errors: 0, total_tokens: 0 })
  const [first, metric, last, ...more] = eventsOf(sessionId)
  expect(more).toEqual([])
  const who = { session_id: sessionId, username: 'somebody else', date: '2026-11-21' }
  expect(first).toEqual({ event: 'session_start', timestamp: begun.timestamp, ...who })
  expect(metric).toMatchObject({ event: 'metric', metrics: { clicks: 1, tone: 'kind' }, ...who })
  expect(last).toMatchObject({
    event: 'session_stop',
    duration_seconds: ended.duration_seconds,
    metrics: ended.metrics,
  })
})

test('ending a session again is the same answer and no second line', async () => {
  const { session_id } = await start()
  const first = await stop(session_id, { clicks: 1 })
  expect(await stop(session_id, { clicks: 2 })).toEqual(first)
  const together = await start()
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => stop(together.session_id, { n })))
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  for (const id of [session_id, together.session_id]) {
    expect(eventsOf(id).map(({ event }) => event)).toEqual(['session_start', 'session_stop'])
  }
})

test('a page that leaves ends its session as of then, unless the session is heard of again', async () => {
  const { session_id: gone } = await start()
  const { session_id: back } = await start()
  const { session_id: quick } = await start()
  for (const session_id of [gone, back]) await leaveSession(ada, { session_id }, 300)
  await recordMetrics(ada, { session_id: back, metrics: { reloads: 1 } })
  await leaveSession(ada, { session_id: quick }, 0)
  const left = new Date()
  await expect.poll(async () => (await getChatSession(ada, gone)).status).toBe('stopped')
  const view = await getChatSession(ada, gone)
  expect(Date.parse(view.stopped_at ?? '')).toBeLessThanOrEqual(left.getTime())
  expect(view.ended_by).toBe('client')
  expect((await getChatSession(ada, back)).status).toBe('open')
  await expect.poll(async () => (await getChatSession(ada, quick)).status).toBe('stopped')
  expect(eventsOf(gone).map(({ event }) => event)).toEqual(['session_start', 'session_stop'])
})

test('what is unknown, another’s, or no id at all is not there', async () => {
  const bob = await makeActor('bob')
  const { session_id } = await start()
  for (const name of [session_id, 'session_20200101_000000', `${session_id}_1`, '', '../etc/passwd', '%']) {
    const missing = { code: 'not_found' }
    await expect(stopSession(bob, { session_id: name })).rejects.toMatchObject(missing)
    await expect(recordMetrics(bob, { session_id: name, metrics: {} })).rejects.toMatchObject(missing)
    await expect(getChatSession(bob, name)).rejects.toMatchObject(missing)
    await expect(readSessionLines(bob, name)).rejects.toMatchObject(missing)
  }
  expect(eventsOf(session_id)).toHaveLength(1)
})

test('a session that has ended takes no metrics', async () => {
  const { session_id } = await start()
  await stop(session_id)
  await expect(recordMetrics(ada, { session_id, metrics: { late: 1 } })).rejects.toMatchObject({
    code: 'conflict',
  })
  expect(eventsOf(session_id)).toHaveLength(2)
})

test('sessions that begin in the same second have names of their own, one after the other', async () => {
  const now = new Date('2026-11-21T12:00:00.500Z')
  const begun = await Promise.all(Array.from({ length: 60 }, () => start(now)))
  const names = begun.map(({ session_id }) => session_id)
  const base = 'session_20261121_120000'
  expect(new Set(names)).toEqual(new Set([base, ...Array.from({ length: 59 }, (_, n) => `${base}_${n + 2}`)]))
  expect(new Set(readSessionLog(logDir).map(({ session_id }) => session_id))).toEqual(new Set(names))
})

test('a name that another server gave in the same second is not given again', async () => {
  const now = new Date('2026-11-21T12:30:00Z')
  const { session_id } = await start(now)
  const { id, ...row } = await db().chatSession.findFirstOrThrow()
  for (const ordinal of [2, 3, 7])
    await db().chatSession.create({
      data: { ...row, id: newId(), ordinal, metadata: {}, metrics: {}, counted: {}, finalMetrics: {} },
    })
  expect((await start(now)).session_id).toBe(`${session_id}_8`)
  expect(id).toBeTruthy()
})

test('a new file begins at local midnight, and a session is stopped where its last line falls', async () => {
  process.env.TZ = 'Europe/Berlin'
  const before = new Date('2026-11-21T22:59:59.999Z')
  const after = new Date('2026-11-21T23:00:00.000Z')
  const { session_id } = await start(before)
  const next = await start(after)
  await stop(session_id, {}, after)
  expect([session_id, next.session_id]).toEqual(['session_20261121_235959', 'session_20261122_000000'])
  expect(listLogFiles(logDir)).toEqual(['session_2026-11-21.log', 'session_2026-11-22.log'])
  expect(eventsOf(session_id).map(({ date }) => date)).toEqual(['2026-11-21', '2026-11-22'])
})

test('in spring an hour is left out, and no day is', async () => {
  process.env.TZ = 'Europe/Berlin'
  const moments = [
    '2027-03-28T00:59:59Z',
    '2027-03-28T01:00:00Z',
    '2027-03-28T21:59:59Z',
    '2027-03-28T22:00:00Z',
  ]
  const names = []
  for (const moment of moments) names.push((await start(new Date(moment))).session_id)
  expect(names).toEqual([
    'session_20270328_015959',
    'session_20270328_030000',
    'session_20270328_235959',
    'session_20270329_000000',
  ])
  expect(listLogFiles(logDir)).toEqual(['session_2027-03-28.log', 'session_2027-03-29.log'])
})

test('in autumn an hour comes twice, and names in it stay unique', async () => {
  process.env.TZ = 'Europe/Berlin'
  const moments = [
    '2026-10-24T22:00:00Z',
    '2026-10-25T00:30:00Z',
    '2026-10-25T01:30:00Z',
    '2026-10-25T22:59:59Z',
  ]
  const names = []
  for (const moment of moments) names.push((await start(new Date(moment))).session_id)
  expect(names).toEqual([
    'session_20261025_000000',
    'session_20261025_023000',
    'session_20261025_023000_2',
    'session_20261025_235959',
  ])
  expect(listLogFiles(logDir)).toEqual(['session_2026-10-25.log'])
})

test('the length of a session is told by the database, however the server’s clock jumps', async () => {
  const { session_id } = await start(new Date('2026-11-21T10:00:00Z'))
  await db().$executeRaw`UPDATE chat_sessions SET started_at = now() - interval '90 seconds'`
  const { duration_seconds } = await stop(session_id, {}, new Date('2020-01-01T00:00:00Z'))
  expect(duration_seconds).toBeGreaterThanOrEqual(90)
  expect(duration_seconds).toBeLessThan(150)
})

test('metrics of one moment have lines of their own, and none is lost in the sum', async () => {
  const now = new Date()
  const { session_id } = await start(now)
  const names = Array.from({ length: 40 }, (_, n) => `m${n}`)
  await Promise.all(names.map((name) => recordMetrics(ada, { session_id, metrics: { [name]: 1 } }, now)))
  const { metrics } = await stop(session_id, {}, now)
  for (const name of names) expect(metrics[name], name).toBe(1)
  const times = eventsOf(session_id).map(({ timestamp }) => timestamp)
  expect(new Set(times).size).toBe(42)
})

const storable = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\u0000'))
const hostile = fc
  .array(
    fc.oneof(
      storable,
      fc.constantFrom('\n', '\r', '\u0085', '\u2028', '\u001b[31m', '"}\n{"event":"session_stop"}'),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''))

test('hostile names, metrics and metadata: every call is one line, and every line is what was said', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, fc.dictionary(hostile, hostile, { maxKeys: 4 }), async (username, said) => {
      const before = readSessionLog(logDir).length
      const begun = StartSession.parse({ username, metadata: said })
      const { session_id } = await startSession(ada, begun)
      await recordMetrics(ada, RecordMetrics.parse({ session_id, metrics: said }))
      const { metrics } = await stopSession(ada, StopSession.parse({ session_id, metrics: said }))
      expect(metrics).toMatchObject(said)
      const lines = readSessionLog(logDir).slice(before)
      expect(lines.map(({ event }) => event)).toEqual(['session_start', 'metric', 'session_stop'])
      for (const line of lines) expect(line).toMatchObject({ session_id, username })
      expect(lines[1]?.metrics).toEqual(said)
    }),
    { numRuns: 60 },
  )
})

test('what is too large, too deep or cannot be stored is refused, with what is wrong', () => {
  const deep = (levels: number): JsonObject => (levels === 0 ? {} : { in: deep(levels - 1) })
  const refused: [unknown, RegExp][] = [
    [{ text: 'x'.repeat(17_000) }, /16 KB/],
    [{ text: 'ä'.repeat(9000) }, /16 KB/],
    [deep(9), /levels/],
    [Object.fromEntries(Array.from({ length: 2001 }, (_, n) => [`k${n}`, 1])), /values/],
    [{ text: 'a\u0000b' }, /cannot be stored/],
    [{ 'a\ud800': 1 }, /cannot be stored/],
    [{ number: Number.POSITIVE_INFINITY }, /too large/],
    [[1], /object/],
    ['text', /object/],
    [null, /object/],
  ]
  for (const [metrics, reason] of refused) {
    const parsed = RecordMetrics.safeParse({ session_id: 'x', metrics })
    expect(parsed.success, JSON.stringify(metrics)?.slice(0, 60)).toBe(false)
    expect(parsed.error?.issues[0]?.message).toMatch(reason)
  }
  for (const metrics of [{}, { a: 1, b: 'two', c: [1, 2], d: null }, deep(7)])
    expect(RecordMetrics.safeParse({ session_id: 'x', metrics }).success).toBe(true)
})

test('all metrics of a session together have a bound, and what is refused leaves no line', async () => {
  const { session_id } = await start()
  const add = (name: string) => recordMetrics(ada, { session_id, metrics: { [name]: 'x'.repeat(7000) } })
  await add('one')
  await add('two')
  await expect(add('three')).rejects.toMatchObject({ code: 'too_large' })
  await expect(stop(session_id, { three: 'x'.repeat(7000) })).rejects.toMatchObject({ code: 'too_large' })
  await add('two')
  expect(eventsOf(session_id)).toHaveLength(4)
})

test('who has a thousand open sessions is asked to stop some', async () => {
  const { session_id } = await start()
  await db().$executeRaw`
    INSERT INTO chat_sessions (id, moment, ordinal, user_id, username, day, status)
    SELECT gen_random_uuid(), '20200101_000000', n, ${ada.userId}::uuid, 'ada', '2020-01-01', 'open'
    FROM generate_series(1, 999) n`
  await expect(start()).rejects.toMatchObject({ code: 'too_many_requests', retryAfterSeconds: 60 })
  await stop(session_id)
  await start()
})

test('a line that cannot be written has not happened: start, metric and stop can be asked for again', async () => {
  const { session_id } = await start()
  rmSync(logDir, { recursive: true })
  writeFileSync(logDir, 'in the way')
  const refused = { code: 'unavailable' }
  await expect(start()).rejects.toMatchObject(refused)
  await expect(recordMetrics(ada, { session_id, metrics: { lost: 1 } })).rejects.toMatchObject(refused)
  await expect(stop(session_id)).rejects.toMatchObject(refused)
  rmSync(logDir)
  expect((await listChatSessions(ada, { limit: 10 })).items).toMatchObject([{ session_id, status: 'open' }])
  const { metrics } = await stop(session_id, { kept: 1 })
  expect(metrics).toMatchObject({ kept: 1 })
  expect(metrics.lost).toBeUndefined()
  expect(eventsOf(session_id).map(({ event }) => event)).toEqual(['session_stop'])
})

test('messages, tokens, errors and first-token times of the time that it was open are counted', async () => {
  const { session_id } = await start()
  const agentId = await makeAgent(ada)
  const talk = await makeTalk(ada, agentId, 'Open', new Date())
  await makeTalk(ada, agentId, 'Before', new Date(Date.now() - 3_600_000))
  await makeTalk(await makeActor('bob'), agentId, 'Bob’s', new Date())
  const ended = await stop(session_id, { clicks: 2 })
  expect(ended.metrics).toEqual({
    messages: 1,
    requests: 2,
    errors: 2,
    input_tokens: 200,
    output_tokens: 20,
    total_tokens: 220,
    first_token_ms: 300,
    first_token_max_ms: 500,
    clicks: 2,
  })
  const view = await getChatSession(ada, session_id)
  expect(view.conversations).toEqual([{ id: talk, title: 'Open', agent_id: agentId, agent_name: 'Agent' }])
  expect(view).toMatchObject({ said: { clicks: 2 }, counted: { messages: 1 }, metrics: ended.metrics })
})

test('an admin sees the sessions of all, but not what others called their conversations', async () => {
  const admin = await makeActor('admin', 'admin')
  const { session_id } = await start()
  await makeTalk(ada, await makeAgent(ada), 'Private', new Date())
  await stop(session_id)
  const view = await getChatSession(admin, session_id)
  expect([view.conversation_count, view.conversations]).toEqual([1, []])
  expect(JSON.stringify(view)).not.toContain('Private')
  expect((await listChatSessions(admin, { limit: 10, user: ada.userId })).items).toHaveLength(1)
  expect((await listChatSessions(admin, { limit: 10, user: admin.userId })).items).toHaveLength(0)
})

test('members list their own sessions, page by page, by day', async () => {
  const bob = await makeActor('bob')
  await start(undefined, bob)
  const days = ['2026-11-19', '2026-11-20', '2026-11-20', '2026-11-21']
  for (const [index, day] of days.entries()) await start(new Date(`${day}T08:00:0${index}Z`))
  const first = await listChatSessions(ada, { limit: 3 })
  const rest = await listChatSessions(ada, { limit: 3, cursor: first.next_cursor ?? '' })
  const listed = [...first.items, ...rest.items]
  expect(listed.map(({ day }) => day)).toEqual(days.toReversed())
  expect(rest.next_cursor).toBeNull()
  const ofDay = await listChatSessions(ada, { limit: 10, day: '2026-11-20' })
  expect(ofDay.items).toHaveLength(2)
  expect((await listChatSessions(ada, { limit: 10, user: bob.userId })).items).toEqual([])
})

test('a key that is bound to a project has to do with the sessions that it began, and no others', async () => {
  const { session_id: own } = await start()
  const key: Actor = {
    ...ada,
    sessionId: '',
    keyId: newId(),
    scopes: ['chat', 'portal:read'],
    boundTo: newId(),
  }
  const { session_id } = await start(undefined, key)
  expect((await listChatSessions(key, { limit: 10 })).items.map((item) => item.session_id)).toEqual([
    session_id,
  ])
  await expect(stopSession(key, { session_id: own })).rejects.toMatchObject({ code: 'not_found' })
  await stopSession(key, { session_id })
  expect((await listChatSessions(ada, { limit: 10 })).items).toHaveLength(2)
})

test('a session of which nothing was heard for a day is ended once, as of its last sign', async () => {
  const { session_id } = await start()
  const { session_id: fresh } = await start()
  await ageBy(session_id, 30)
  await makeTalk(ada, await makeAgent(ada), 'Late', new Date(Date.now() - 28 * 3_600_000))
  expect(await Promise.all([endSilentSessions(), endSilentSessions()]).then(([a, b]) => a + b)).toBe(1)
  const ended = await getChatSession(ada, session_id)
  expect(ended).toMatchObject({ status: 'stopped', ended_by: 'silence' })
  expect(Math.round((ended.duration_seconds ?? 0) / 3600)).toBe(2)
  expect(eventsOf(session_id).map(({ event }) => event)).toEqual(['session_start', 'session_stop'])
  expect((await getChatSession(ada, fresh)).status).toBe('open')
  expect((await stop(session_id)).duration_seconds).toBe(ended.duration_seconds)
})

test('the lines of a session, and for an admin those of a day, can be downloaded as they stand', async () => {
  const admin = await makeActor('admin', 'admin')
  const now = new Date('2026-11-21T10:00:00Z')
  const { session_id } = await start(now)
  for (let n = 0; n < 3; n++)
    await recordMetrics(ada, { session_id, metrics: { n, mark: randomUUID() } }, now)
  await start(now)
  const text = await collect(await readSessionLines(ada, session_id))
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(eventsOf(session_id))
  const day = await collect(await readDayLog(admin, '2026-11-21'))
  expect(
    day
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(readSessionLog(logDir))
  await expect(readDayLog(ada, '2026-11-21')).rejects.toMatchObject({ code: 'forbidden' })
  await expect(readDayLog(admin, '2026-11-22')).rejects.toMatchObject({ code: 'not_found' })
})

async function collect(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

async function ageBy(sessionId: string, hours: number): Promise<void> {
  const [, day = '', time = '', ordinal = '1'] = sessionId.split('_')
  const past = new Date(Date.now() - hours * 3_600_000)
  await db().chatSession.update({
    where: { moment_ordinal: { moment: `${day}_${time}`, ordinal: Number(ordinal) } },
    data: { startedAt: past, lastSeenAt: past },
  })
}

async function makeAgent({ userId }: Actor): Promise<string> {
  const project = await db().project.create({
    data: { id: newId(), name: 'Project', members: { create: { userId, role: 'owner' } } },
  })
  const agent = await db().agent.create({
    data: { id: newId(), projectId: project.id, name: 'Agent', modelProvider: 'demo', modelName: 'demo' },
  })
  return agent.id
}

/** A question, a failed answer, a call that succeeded and one, without a reply, that failed. */
async function makeTalk({ userId }: Actor, agentId: string, title: string, at: Date): Promise<string> {
  const id = newId()
  await db().conversation.create({ data: { id, userId, agentId, title, lastActivityAt: at } })
  await db().message.createMany({
    data: [
      { id: newId(), conversationId: id, role: 'user', status: 'completed', createdAt: at },
      { id: newId(), conversationId: id, role: 'assistant', status: 'failed', createdAt: at },
    ],
  })
  const call = { userId, at, provider: 'openai', model: 'm', keySource: 'user', durationMs: 900 }
  const tokens = { inputTokens: 100, outputTokens: 10 }
  await db().usageEntry.createMany({
    data: [
      { ...call, ...tokens, id: newId(), outcome: 'completed', firstTokenMs: 300, replyId: newId() },
      { ...call, ...tokens, id: newId(), outcome: 'failed', firstTokenMs: 500 },
    ],
  })
  return id
}
