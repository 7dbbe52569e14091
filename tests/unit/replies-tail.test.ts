import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { publish, subscribe } from '../../lib/bus'
import { type Bus, tellFrames } from '../../lib/replies/bus'
import type { Frame } from '../../lib/replies/frame'
import { RunningReply } from '../../lib/replies/running'
import { Tail } from '../../lib/replies/tail'

const bus: Bus = { publish, subscribe }
const frame = (seq: number, text = `<${seq}>`): Frame => ({ seq, type: 'text', text })
const seqsOf = (frames: Frame[] | null) => frames?.map(({ seq }) => seq) ?? null

function openTail() {
  const replyId = randomUUID()
  const leaving = new AbortController()
  const tail = new Tail(bus, replyId, leaving.signal)
  const tell = (...seqs: number[]) =>
    tellFrames(
      bus,
      replyId,
      seqs.map((seq) => frame(seq)),
    )
  return { tail, tell, leave: () => leaving.abort(), replyId }
}

test('frames that were told twice come once', async () => {
  const { tail, tell } = openTail()
  tell(0, 1)
  tell(0, 1)
  tell(1, 2)
  expect(seqsOf(await tail.next(-1))).toEqual([0, 1, 2])
  tell(2)
  tell(2, 3)
  expect(seqsOf(await tail.next(2))).toEqual([3])
})

test('what comes before a lost message is passed on, then the log has to be read', async () => {
  const { tail, tell } = openTail()
  tell(0, 1)
  tell(3)
  expect(seqsOf(await tail.next(-1))).toEqual([0, 1])
  expect(await tail.next(1)).toBeNull()
  tell(4)
  expect(seqsOf(await tail.next(3))).toEqual([4])
})

test('what was overtaken by a later message is read from the log', async () => {
  const { tail, tell } = openTail()
  tell(1)
  tell(0)
  expect(seqsOf(await tail.next(-1))).toEqual([0])
  expect(await tail.next(0)).toBeNull()
})

test('a follower that does not read holds at most 64 KiB; then it has to read the log, and goes on after that', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(3000), fc.nat(70_000)), { minLength: 1, maxLength: 60, size: 'max' })
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const { tail, replyId } = openTail()
      for (const [seq, length] of lengths.entries()) {
        tellFrames(bus, replyId, [frame(seq, 'x'.repeat(length))])
      }
      const total = lengths.reduce((sum, length) => sum + length, 0)
      const held = await tail.next(-1)
      expect(seqsOf(held)).toEqual(total <= 65_536 ? lengths.map((_, seq) => seq) : null)
      // It has caught up from the log meanwhile, and hears of what follows.
      tellFrames(bus, replyId, [frame(lengths.length, 'next')])
      expect(seqsOf(await tail.next(lengths.length - 1))).toEqual([lengths.length])
      tail.close()
    }),
    { numRuns: 100 },
  )
})

test('whatever a source says at once, no frame is larger than 16 KiB, and only the last of an event has its cursor', () => {
  const reply = new RunningReply({ replyId: randomUUID(), epoch: 1 })
  const long = `${'😀'.repeat(20_000)}${'x'.repeat(20_000)}`
  reply.add('text', 'before ', 1)
  reply.add('text', long, 2)
  const frames = reply.takeForCommit()
  expect(frames.map(({ text }) => text).join('')).toBe(`before ${long}`)
  expect(Math.max(...frames.map(({ text }) => text.length))).toBeLessThanOrEqual(16_384)
  expect(frames.every(({ text }) => text.isWellFormed())).toBe(true)
  expect(frames.map(({ cursor }) => cursor)).toEqual([1, ...Array(frames.length - 2).fill(undefined), 2])
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n))
})

test('a frame that is full before an event of a number keeps its own', () => {
  const reply = new RunningReply({ replyId: randomUUID(), epoch: 1 })
  reply.add('text', 'x'.repeat(16_384), 1)
  reply.add('text', 'y', 2)
  expect(reply.takeForCommit().map(({ cursor }) => cursor)).toEqual([1, 2])
})

test('a frame with more in it than the event of its number has no number, so that nothing is told twice', () => {
  const reply = new RunningReply({ replyId: randomUUID(), epoch: 1 })
  reply.add('text', 'one', 1)
  reply.add('text', ' and more')
  expect(reply.takeForCommit().map(({ cursor }) => cursor)).toEqual([undefined])
  reply.markCommitted()
  reply.add('text', 'two', 2)
  reply.add('text', 'three', 3)
  expect(reply.takeForCommit().map(({ cursor }) => cursor)).toEqual([3])
})

test('a frame with less in it than the event of its number has no number, so that nothing is left out', () => {
  const reply = new RunningReply({ replyId: randomUUID(), epoch: 1 })
  reply.add('text', 'half of it \ud83d', 1)
  expect(reply.takeForCommit()).toEqual([{ seq: 0, type: 'text', text: 'half of it ' }])
  reply.markCommitted()
  reply.add('text', '\ude00', 2)
  expect(reply.takeForCommit()).toEqual([{ seq: 1, type: 'text', text: '😀', cursor: 2 }])
})
