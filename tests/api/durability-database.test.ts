import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import {
  follow,
  followToEnd,
  lastMessage,
  openTalk,
  type SeenEvent,
  send,
  type Talk,
  textOf,
} from '../support/chat'
import type { Answer } from '../support/client'
import { createScratchDatabase, type ScratchDatabase } from '../support/database'
import { type DatabaseLine, layLine } from '../support/database-line'
import { queryOnce } from '../support/embedded'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

/*
 * The database goes away while answers are written: nothing is shown that is not stored, everybody else is told at
 * once, and all goes on by itself.
 */

let openai: OpenAIServer
let database: ScratchDatabase
let line: DatabaseLine
let server: TestServer

beforeAll(async () => {
  openai = await startOpenAI()
  database = await createScratchDatabase()
  line = await layLine(database.url)
  server = await startServer({
    DATABASE_URL: line.url,
    OPENAI_API_KEY: 'sk-test-of-durability',
    OPENAI_BASE_URL: openai.baseUrl,
  })
})
afterAll(async () => {
  line.mend()
  await server.close()
  await line.close()
  await database.drop()
  await openai.close()
})
beforeEach(() => openai.reset())

const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n} `)

/** Somebody who reads an answer, and comes back as a page does. */
class Reader {
  readonly events: SeenEvent[] = []
  readonly over: Promise<void>

  constructor(talk: Talk, eventsUrl: string) {
    this.over = this.read(talk, eventsUrl)
  }

  private async read({ user }: Talk, eventsUrl: string): Promise<void> {
    while (!this.isOver) {
      try {
        for await (const event of follow(user, eventsUrl, this.events.at(-1)?.id)) this.events.push(event)
      } catch {
        await sleep(100)
      }
    }
  }

  private get isOver(): boolean {
    const type = this.events.at(-1)?.type
    return type !== undefined && type !== 'text' && type !== 'reasoning'
  }

  async untilBegun(): Promise<void> {
    while (this.events.length === 0) await sleep(10)
  }
}

/** Where the answers to these calls were, and how long the longest took, in milliseconds. */
async function timed(calls: Promise<Answer>[]): Promise<{ statuses: number[]; longestMs: number }> {
  const startedAt = performance.now()
  const answers = await Promise.all(calls)
  return { statuses: answers.map(({ status }) => status), longestMs: performance.now() - startedAt }
}

/** How far the database has the reply, asked by another way. */
async function storedFrames(replyId: string): Promise<string[]> {
  const rows = await queryOnce<{ body: string }>(
    database.url,
    'SELECT body FROM reply_frames WHERE reply_id = $1 ORDER BY seq',
    [replyId],
  )
  return rows.map(({ body }) => body)
}

test('away while upstream begins, it still has what the next server needs before any word is shown', async () => {
  const talk = await openTalk(server.url, { background: true })
  openai.script(() => {
    line.cut()
    setTimeout(() => line.mend(), 1000)
    return { text: words(40), delayMs: 50 }
  })
  const { reply } = await send(talk, 'go on, whatever happens')
  const reader = new Reader(talk, reply.events_url)
  await reader.untilBegun()
  const [stored] = await queryOnce<{ responseId: string | null }>(
    database.url,
    `SELECT upstream->>'responseId' AS "responseId" FROM replies WHERE id = $1`,
    [reply.id],
  )
  expect(stored?.responseId).toMatch(/^resp_/)
  await reader.over
  expect(textOf(reader.events)).toBe(words(40).join(''))
})

const outages = [
  // As when it restarts: every connection breaks, and none is made.
  ['cut', 5000, 500],
  // As when the network loses its way: nothing breaks, and nothing comes.
  ['silence', 3000, 8000],
] as const

test.each(outages)(
  '%s for %i ms in mid-answer: shown is what is stored, and it goes on',
  async (fault, awayMs, boundMs) => {
    const talk = await openTalk(server.url)
    const other = await openTalk(server.url)
    openai.script({ text: words(140), delayMs: 50 })
    const { reply } = await send(talk, 'tell me')
    const reader = new Reader(talk, reply.events_url)
    await reader.untilBegun()
    line[fault]()
    const path = `/api/conversations/${other.conversationId}/messages`
    const message = { id: newId(), parent_id: null, text: 'hello' }
    const calls = timed([other.user.get('/api/projects'), other.user.post(path, message)])
    // One answer serves for a second.
    await vi.waitFor(async () => {
      const { status, body } = await other.user.get('/api/health')
      expect([status, body.checks?.database?.status]).toEqual([503, 'down'])
    }, 3000)
    await sleep(awayMs / 2)
    const shown = reader.events.map(({ data }) => ('text' in data ? data.text : ''))
    expect(shown.length).toBeGreaterThan(0)
    expect((await storedFrames(reply.id)).slice(0, shown.length)).toEqual(shown)
    await sleep(awayMs / 2)
    line.mend()
    const { statuses, longestMs } = await calls
    expect(longestMs).toBeLessThan(boundMs)
    if (fault === 'cut') expect(statuses).toEqual([503, 503])
    await reader.over
    expect(reader.events.map(({ id }) => id)).toEqual(reader.events.map((_, n) => n))
    expect(reader.events.at(-1)?.type).toBe('completed')
    expect(textOf(reader.events)).toBe(words(140).join(''))
    expect((await lastMessage(talk)).text).toBe(words(140).join(''))
    // What could not be sent can be sent now, once.
    const again = await send(other, 'hello', null, message.id)
    expect((await followToEnd(other.user, again.reply.events_url)).at(-1)?.type).toBe('completed')
    expect(openai.journal).toHaveLength(2)
    await vi.waitFor(async () => expect((await other.user.get('/api/health')).status).toBe(200), 3000)
  },
)
