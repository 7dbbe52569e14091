import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { db, startDatabase, stopDatabase } from '../../lib/db'
import { AppError } from '../../lib/errors'
import {
  type Frame,
  followReply,
  newLease,
  openReply,
  type ReplySource,
  recoverReplies,
  stopReplies,
  stopReply,
} from '../../lib/replies'
import { createScratchDatabase, type ScratchDatabase } from '../support/database'
import { until } from '../support/until'

let scratch: ScratchDatabase

beforeAll(async () => {
  scratch = await createScratchDatabase()
  process.env.DATABASE_URL = scratch.url
  await startDatabase()
  await recoverReplies(async () => ({ opening: { explain, ended: async () => {} }, source: null }))
})
afterAll(async () => {
  await stopReplies()
  await stopDatabase()
  await scratch.drop()
})

/** The rows that a reply needs: a user, a conversation and a message that waits for its text. */
async function makeReply(
  lease = { nodeId: newLease().nodeId, leaseExpiresAt: new Date(Date.now() + 6000) },
): Promise<{ replyId: string; messageId: string }> {
  const [userId, projectId, agentId, conversationId, messageId, replyId] = Array.from({ length: 6 }, () =>
    newId(),
  ) as [string, string, string, string, string, string]
  await db().user.create({ data: { id: userId, email: `${userId}@example.com`, passwordHash: '' } })
  await db().project.create({ data: { id: projectId, name: 'p' } })
  await db().agent.create({
    data: { id: agentId, projectId, name: 'a', modelProvider: 'demo', modelName: 'demo' },
  })
  await db().conversation.create({ data: { id: conversationId, agentId, userId, title: 't' } })
  await db().message.create({ data: { id: messageId, conversationId, role: 'assistant', status: 'running' } })
  await db().reply.create({
    data: { id: replyId, conversationId, userId, messageId, requestId: newId(), requestHash: '', ...lease },
  })
  return { replyId, messageId }
}

const explain = (error: AppError) => ({
  code: error.code,
  message: error.message,
  remedy: 'retry' as const,
})

const open = (replyId: string, source: ReplySource, ended = vi.fn(async () => {})) => {
  openReply(replyId, { explain, ended }, source)
  return ended
}

async function readToEnd(
  replyId: string,
  after = -1,
  signal = new AbortController().signal,
): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const some of followReply(replyId, after, signal)) frames.push(...some)
  return frames
}

async function* frameByFrame(batches: AsyncIterable<Frame[]>): AsyncGenerator<Frame> {
  for await (const frames of batches) yield* frames
}

const textOf = (frames: Frame[]) => frames.map(({ text }) => text).join('')
const tick = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms))
const readMessage = (id: string) => db().message.findUniqueOrThrow({ where: { id } })

test('a frame that a follower has is already on disk', async () => {
  const { replyId } = await makeReply()
  open(replyId, async (sink) => {
    for (let n = 0; n < 40; n++) {
      await sink.text(`piece ${n} `)
      await tick(3)
    }
  })
  for await (const { seq, text } of frameByFrame(followReply(replyId, -1, new AbortController().signal))) {
    const row = await db().replyFrame.findUnique({ where: { replyId_seq: { replyId, seq } } })
    expect(row?.body).toBe(text)
  }
})

test('whatever the pieces and whenever followers come and go, each gets the stored bytes once and in order', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.constantFrom('\ud83d', '\ude00', '\u0000', 'é', '\r\n'),
  )
  const schedule = fc.record({
    pieces: fc.array(
      fc.record({ text: piece, pauseMs: fc.constantFrom(0, 0, 0, 1, 30), isReasoning: fc.boolean() }),
      { maxLength: 40 },
    ),
    followers: fc.array(fc.record({ startMs: fc.nat(60), leaveAfter: fc.nat(6) }), { maxLength: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(schedule, async ({ pieces, followers }) => {
      const { replyId, messageId } = await makeReply()
      const ended = open(replyId, async (sink) => {
        for (const { text, pauseMs, isReasoning } of pieces) {
          await (isReasoning ? sink.reasoning(text) : sink.text(text))
          if (pauseMs) await tick(pauseMs)
        }
      })
      const histories = await Promise.all(
        [{ startMs: 0, leaveAfter: 0 }, ...followers].map(async ({ startMs, leaveAfter }) => {
          await tick(startMs)
          const seen: Frame[] = []
          if (leaveAfter > 0) {
            for await (const frame of frameByFrame(followReply(replyId, -1, new AbortController().signal))) {
              seen.push(frame)
              if (seen.length >= leaveAfter) break
            }
          }
          const isOver = seen.at(-1)?.type === 'completed'
          return isOver ? seen : [...seen, ...(await readToEnd(replyId, seen.at(-1)?.seq ?? -1))]
        }),
      )
      const { parts, status } = await readMessage(messageId)
      for (const frames of histories) {
        expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n))
        expect(
          frames.filter(({ type }) => type !== 'text' && type !== 'reasoning').map(({ type }) => type),
        ).toEqual(['completed'])
        expect(textOf(frames)).toBe((parts as { text: string }[]).map(({ text }) => text).join(''))
      }
      const whole = pieces
        .map(({ text }) => text)
        .join('')
        .replaceAll('\u0000', '\ufffd')
        .toWellFormed()
      expect(textOf(histories[0] ?? [])).toBe(whole)
      expect(status).toBe('completed')
      expect(ended).toHaveBeenCalledTimes(1)
    }),
    { numRuns: 40 },
  )
})

test('an error ends the reply as failed and keeps what was said', async () => {
  const { replyId, messageId } = await makeReply()
  open(replyId, async (sink) => {
    await sink.text('so far')
    throw new AppError('provider_failed', 'It broke.')
  })
  const frames = await readToEnd(replyId)
  expect(frames.map(({ type }) => type)).toEqual(['text', 'failed'])
  expect(await readMessage(messageId)).toMatchObject({
    status: 'failed',
    text: 'so far',
    error: { message: 'It broke.' },
  })
})

test('a stop fires the signal, keeps what was said, and ends the reply once', async () => {
  const { replyId, messageId } = await makeReply()
  const ended = open(replyId, async (sink, signal) => {
    await sink.text('said')
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  const frames: Frame[] = []
  for await (const frame of frameByFrame(followReply(replyId, -1, new AbortController().signal))) {
    frames.push(frame)
    await stopReply(replyId)
  }
  await stopReply(replyId)
  expect(frames.map(({ type }) => type)).toEqual(['text', 'stopped'])
  expect(await readMessage(messageId)).toMatchObject({ status: 'stopped', text: 'said', error: null })
  expect(ended).toHaveBeenCalledTimes(1)
})

test('a reply whose writer is gone is taken over, keeps its text, and is interrupted', async () => {
  const expired = { nodeId: randomUUID(), leaseExpiresAt: new Date(Date.now() - 1000) }
  const { replyId, messageId } = await makeReply(expired)
  await db().replyFrame.createMany({
    data: [0, 1].map((seq) => ({ replyId, seq, type: 'text', body: `part ${seq} ` })),
  })
  const frames = await readToEnd(replyId)
  expect(frames.map(({ seq, type, text }) => [seq, type, text])).toEqual([
    [0, 'text', 'part 0 '],
    [1, 'text', 'part 1 '],
    [2, 'interrupted', ''],
  ])
  expect(await readMessage(messageId)).toMatchObject({ status: 'interrupted', text: 'part 0 part 1 ' })
})

test('a writer that lost its reply commits nothing more', async () => {
  const { replyId, messageId } = await makeReply()
  let wasAborted = false
  let isLost = false
  const ended = open(replyId, async (sink, signal) => {
    await sink.text('mine')
    while (!signal.aborted) {
      if (isLost) await sink.text(' not mine')
      await tick(5)
    }
    wasAborted = true
  })
  for await (const _ of followReply(replyId, -1, new AbortController().signal)) break
  await db().reply.update({
    where: { id: replyId },
    data: { epoch: 2, nodeId: randomUUID(), leaseExpiresAt: new Date(Date.now() + 60_000) },
  })
  isLost = true
  await until(() => expect(wasAborted).toBe(true))
  await tick(100)
  const bodies = await db().replyFrame.findMany({ where: { replyId } })
  expect(bodies.map(({ body }) => body)).toEqual(['mine'])
  expect((await readMessage(messageId)).status).toBe('running')
  // It is its new writer's to count.
  expect(ended).not.toHaveBeenCalled()
})

test('nothing that was not committed is shown while the database takes nothing', async () => {
  const { replyId } = await makeReply()
  const seen: Frame[] = []
  await db().$transaction(async (tx) => {
    await tx.$executeRawUnsafe('LOCK TABLE reply_frames IN SHARE MODE')
    open(replyId, async (sink) => {
      await sink.text('kept back')
      await tick(300)
      await sink.text(' and complete')
    })
    const ended = new AbortController()
    setTimeout(() => ended.abort(), 500)
    for (const frame of await readToEnd(replyId, -1, ended.signal)) seen.push(frame)
    expect(seen).toEqual([])
  })
  for (const frame of await readToEnd(replyId)) seen.push(frame)
  expect(textOf(seen)).toBe('kept back and complete')
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, n) => n))
})

test('when the frames are folded, a late follower gets the whole text and the end', async () => {
  const { replyId } = await makeReply()
  open(replyId, async (sink) => {
    for (let n = 0; n < 5; n++) {
      await sink.text(`${n},`)
      await tick(30)
    }
  })
  const live = await readToEnd(replyId)
  await db().replyFrame.deleteMany({ where: { replyId } })
  const late = await readToEnd(replyId)
  expect(textOf(late)).toBe(textOf(live))
  expect(late.at(-1)).toEqual(live.at(-1))
  // Nothing is missing before it: a reader who refuses gaps reads it.
  expect(late[0]).toMatchObject({ seq: 0, type: 'text' })
  expect((await readToEnd(replyId, live.at(-2)?.seq)).map(({ type }) => type)).toEqual(['completed'])
})

test('a follower who reads slowly is caught up from the database, in order', async () => {
  const { replyId } = await makeReply()
  const block = 'x'.repeat(20_000)
  open(replyId, async (sink) => {
    for (let n = 0; n < 30; n++) {
      await sink.text(`${n}${block}`)
      await tick(5)
    }
  })
  const frames: Frame[] = []
  for await (const frame of frameByFrame(followReply(replyId, -1, new AbortController().signal))) {
    frames.push(frame)
    await tick(10)
  }
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n))
  expect(textOf(frames)).toBe(Array.from({ length: 30 }, (_, n) => `${n}${block}`).join(''))
})

test('a reply that is deleted with its conversation ends its upstream call soon, and is counted', async () => {
  const { replyId } = await makeReply()
  let wasAborted = false
  const ended = open(replyId, async (sink, signal) => {
    await sink.text('thinking')
    // Silence: no frame will find out that the reply is gone.
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    wasAborted = true
  })
  for await (const _ of followReply(replyId, -1, new AbortController().signal)) break
  const { conversationId } = await db().reply.findUniqueOrThrow({ where: { id: replyId } })
  await db().conversation.delete({ where: { id: conversationId } })
  await until(() => expect(wasAborted).toBe(true))
  await until(() => expect(ended).toHaveBeenCalledTimes(1))
})

test('stopping and deleting at once never collide', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 40 }, async () => {
      const { replyId } = await makeReply()
      open(replyId, async (sink, signal) => {
        while (!signal.aborted) {
          await sink.text('word ')
          await tick(2)
        }
      })
      const { conversationId } = await db().reply.findUniqueOrThrow({ where: { id: replyId } })
      await tick(20)
      await stopReply(replyId)
      await db().conversation.delete({ where: { id: conversationId } })
    }),
  )
  expect(outcomes.map(({ status }) => status)).toEqual(Array(40).fill('fulfilled'))
})

test('who may not follow any more gets nothing more, also in the middle of a replay', async () => {
  const { replyId } = await makeReply()
  const ended = new AbortController()
  open(replyId, async (sink, signal) => {
    for (let n = 0; n < 40; n++) await sink.text('x'.repeat(100_000))
    while (!signal.aborted) await tick(20)
  })
  await until(async () => expect(await db().replyFrame.count({ where: { replyId } })).toBeGreaterThan(200))
  let length = 0
  for await (const frames of followReply(replyId, -1, ended.signal)) {
    length += textOf(frames).length
    ended.abort()
  }
  expect(length).toBeGreaterThan(0)
  expect(length).toBeLessThan(200_000)
  await stopReply(replyId)
})

test('a follower whose place is beyond the end hears the end', async () => {
  const { replyId } = await makeReply()
  const release = Promise.withResolvers<void>()
  open(replyId, async (sink) => {
    await sink.text('short')
    await release.promise
  })
  const heard = readToEnd(replyId, 50)
  await tick(100)
  release.resolve()
  expect((await heard).map(({ type }) => type)).toEqual(['completed'])
})
