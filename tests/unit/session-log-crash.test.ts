import { appendFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '../../lib/auth'
import { db } from '../../lib/db'
import {
  closeSessionLog,
  getChatSession,
  listChatSessions,
  openSessionLog,
  recordMetrics,
  startSession,
  stopSession,
} from '../../lib/sessions'
import { makeActor, openLibrary } from '../support/library'
import { makeOwnFolder } from '../support/own-folder'

/*
 * A server may die at any point between storing a line and answering. The next one decides by the file alone. Its death
 * is played by putting the rows back to how they were at that point.
 */

const folder = makeOwnFolder('session-crash')
const logDir = `${folder.path}/SessionLog`
let close: () => Promise<void>
let ada: Actor

beforeAll(async () => {
  close = await openLibrary({ SESSION_LOG_DIR: logDir })
  await openSessionLog()
})
beforeEach(async () => {
  await db().chatSession.deleteMany()
  ada = await makeActor('ada')
})
afterAll(async () => {
  await closeSessionLog()
  await close()
  folder.remove()
})

type Where = 'before its line was written' | 'after its line was written'

/** As if the writer of the session's last line had died then, so many seconds ago. */
async function dieInLastLine(where: Where, secondsAgo = 120): Promise<void> {
  const last = await db().chatSessionLine.findFirstOrThrow({ orderBy: { at: 'desc' } })
  const begunAt = new Date(Date.now() - secondsAgo * 1000)
  // A line that does not stand in the file: another text than the one that was written.
  const line = where === 'after its line was written' ? last.line : last.line.replace('}', ',"lost":1}')
  await db().chatSessionLine.update({
    where: { sessionId_at: { sessionId: last.sessionId, at: last.at } },
    data: { written: false, begunAt, line },
  })
  const back = {
    session_start: { status: 'opening' },
    session_stop: { status: 'stopping' },
    metric: { metrics: {} },
  }[last.event]
  await db().chatSession.update({
    where: { id: last.sessionId },
    data: { eventCount: { decrement: 1 }, ...back },
  })
}

const listed = async () => (await listChatSessions(ada, { limit: 10 })).items

test('a start whose line stands in the file has happened; one without never did', async () => {
  const { session_id } = await startSession(ada, {})
  await dieInLastLine('after its line was written')
  expect(await listed()).toEqual([])
  await openSessionLog()
  expect(await listed()).toMatchObject([{ session_id, status: 'open' }])
  await dieInLastLine('before its line was written')
  await openSessionLog()
  expect(await listed()).toEqual([])
  expect(await db().chatSession.count()).toBe(0)
})

test('a metric whose line stands in the file counts; one without does not', async () => {
  const { session_id } = await startSession(ada, {})
  await recordMetrics(ada, { session_id, metrics: { clicks: 1 } })
  await dieInLastLine('after its line was written')
  await openSessionLog()
  expect((await getChatSession(ada, session_id)).said).toEqual({ clicks: 1 })
  await dieInLastLine('before its line was written')
  await openSessionLog()
  expect((await getChatSession(ada, session_id)).said).toEqual({})
  expect(await db().chatSessionLine.count()).toBe(1)
})

test('a stop whose line stands in the file has happened; without it the session goes on, and can be stopped', async () => {
  const { session_id } = await startSession(ada, {})
  const first = await stopSession(ada, { session_id, metrics: { clicks: 1 } })
  await dieInLastLine('after its line was written')
  await openSessionLog()
  expect(await stopSession(ada, { session_id })).toEqual(first)
  await dieInLastLine('before its line was written')
  await openSessionLog()
  expect(await listed()).toMatchObject([{ session_id, status: 'open', duration_seconds: null }])
  const again = await stopSession(ada, { session_id, metrics: { clicks: 2 } })
  expect(again.metrics).toMatchObject({ clicks: 2 })
})

test('a line that was torn in the middle was not written', async () => {
  const { session_id } = await startSession(ada, {})
  await dieInLastLine('before its line was written')
  const { line, day } = await db().chatSessionLine.findFirstOrThrow()
  appendFileSync(`${logDir}/session_${day}.log`, line.slice(0, -10))
  await openSessionLog()
  expect(await listed()).toEqual([])
  const next = await startSession(ada, {})
  expect(next.session_id).not.toBe(session_id)
  expect(await listed()).toMatchObject([{ session_id: next.session_id }])
})

test('what another server may still be writing is left alone, until a minute has passed', async () => {
  await startSession(ada, {})
  await dieInLastLine('before its line was written', 30)
  await openSessionLog()
  expect(await db().chatSession.count()).toBe(1)
})

test('looking twice, or two at once, changes nothing more', async () => {
  const { session_id } = await startSession(ada, {})
  await recordMetrics(ada, { session_id, metrics: { clicks: 1 } })
  await dieInLastLine('after its line was written')
  await Promise.all([openSessionLog(), openSessionLog()])
  await openSessionLog()
  const { eventCount } = await db().chatSession.findFirstOrThrow()
  expect(eventCount).toBe(2)
  expect(await db().chatSessionLine.count({ where: { written: true } })).toBe(2)
})
