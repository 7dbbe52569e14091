import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../../lib/replies/frame'
import { isFullPage, page, readWhole } from '../../lib/replies/log'
import { completed, expired, frame, framesFrom, Hands, type LogBench } from './reply-log-bench'

/** Frames go in as whole calls and come out in order. */
export function describeAppend(bench: LogBench): void {
  const { log, open, appendTo, clearExpired, deleteReply } = new Hands(bench)
  describe('append and read', () => {
    test('frames come back in order, with their kinds and cursors, and only those after the asked one', async () => {
      const { replyId, owner } = await open()
      const frames: Frame[] = [
        { seq: 0, type: 'reasoning', text: 'hm\r\n' },
        { seq: 1, type: 'text', text: 'é😀 ', cursor: 7 },
        { seq: 2, type: 'text', text: '' },
      ]
      expect(await appendTo(owner, frames)).toEqual([])
      expect(await log.read(replyId, -1)).toEqual(frames)
      expect(await log.read(replyId, 0)).toEqual(frames.slice(1))
      expect(await log.read(replyId, 2)).toEqual([])
    })

    test('the same frames again change nothing, also beside new ones and in many calls at once', async () => {
      const { replyId, owner } = await open()
      const frames = framesFrom(0, 30)
      const tries = Array.from({ length: 12 }, (_, n) => appendTo(owner, frames.slice(0, n < 6 ? 20 : 30)))
      expect(await Promise.all(tries)).toEqual(tries.map(() => []))
      expect(await log.read(replyId, -1)).toEqual(frames)
    })

    test('no frames at all are appended without complaint', async () => {
      const { replyId, owner } = await open()
      expect(await log.append([])).toEqual([])
      expect(await appendTo(owner, [])).toEqual([])
      expect(await log.read(replyId, -1)).toEqual([])
    })

    test('a reader finds all frames of a call or none', async () => {
      const { replyId, owner } = await open()
      const counts = new Set<number>()
      for (let round = 0; round < 8; round++) {
        let isWritten = false
        const write = appendTo(owner, framesFrom(round * 60, 60)).then(() => {
          isWritten = true
        })
        while (!isWritten) counts.add((await log.read(replyId, -1)).length % 60)
        await write
      }
      expect([...counts]).toEqual([0])
    })

    test('a call that fails has left nothing of any reply', async () => {
      const [good, bad] = [await open(), await open()]
      const unstorable = { ...frame(0), type: null as unknown as 'text' }
      const write = log.append([
        { ...good.owner, frames: [frame(0)] },
        { ...bad.owner, frames: [unstorable] },
      ])
      await expect(write).rejects.toMatchObject({ name: 'AppError' })
      expect(await log.read(good.replyId, -1)).toEqual([])
      expect(await log.read(bad.replyId, -1)).toEqual([])
    })

    test('lost replies are reported and left out; the others of the call are written', async () => {
      const [ours, older, newer, ended, deleted] = await Promise.all([open(), open(), open(), open(), open()])
      await log.finish(ended.owner, 0, completed())
      await deleteReply(deleted)
      const batches = [
        { ...older.owner, epoch: 0, frames: framesFrom(0, 2) },
        { ...ours.owner, frames: framesFrom(0, 2) },
        { ...newer.owner, epoch: 2, frames: framesFrom(0, 2) },
        { ...ended.owner, frames: framesFrom(1, 2) },
        { ...deleted.owner, frames: framesFrom(0, 2) },
      ]
      const gone = [older, newer, ended, deleted].map(({ replyId }) => replyId)
      expect((await log.append(batches)).sort()).toEqual(gone.sort())
      expect(await log.read(ours.replyId, -1)).toEqual(framesFrom(0, 2))
      for (const { replyId } of [older, newer, deleted]) expect(await log.read(replyId, -1)).toEqual([])
      expect((await log.read(ended.replyId, -1)).map(({ type }) => type)).toEqual(['completed'])
    })

    test('a writer that lost its reply is told so even if its frames are there already', async () => {
      const { owner } = await open({ leaseMs: expired })
      await appendTo(owner, [frame(0)])
      await clearExpired()
      expect(await appendTo(owner, [frame(0)])).toEqual([owner.replyId])
    })

    test('a page has its full number of frames, and the next one begins after it', async () => {
      const { replyId, owner } = await open()
      const frames = framesFrom(0, page.frames + 3, 'x')
      await appendTo(owner, frames)
      const first = await log.read(replyId, -1)
      expect(first).toEqual(frames.slice(0, page.frames))
      expect(isFullPage(first)).toBe(true)
      const second = await log.read(replyId, page.frames - 1)
      expect(second).toEqual(frames.slice(page.frames))
      expect(isFullPage(second)).toBe(false)
    })

    test('a page is cut by size too, never below one frame, and is then known to be full', async () => {
      const sizes = [page.length - 1, 1, 10, page.length * 3, page.length / 2, page.length / 2, 5]
      for (const unit of ['x', '😀']) {
        const { replyId, owner } = await open()
        const frames = sizes.map((size, seq) => frame(seq, unit.repeat(size / unit.length + 1)))
        await appendTo(owner, frames)
        const pages: Frame[][] = []
        for (let last = -1; last < frames.length - 1; last = pages.flat().length - 1) {
          const next = await log.read(replyId, last)
          pages.push(next)
          const isLast = pages.flat().length === frames.length
          if (!isLast) expect(isFullPage(next)).toBe(true)
          const before = next.slice(0, -1).reduce((sum, { text }) => sum + [...text].length, 0)
          expect(before).toBeLessThan(page.length)
        }
        expect(pages.flat()).toEqual(frames)
        expect(pages.length).toBeGreaterThan(1)
        expect(await readWhole(log, replyId)).toEqual(frames)
      }
    })
  })
}

/** Where a reply stands. */
export function describeFind(bench: LogBench): void {
  const { log, open, appendTo, deleteReply } = new Hands(bench)
  describe('find', () => {
    test('a running reply is known with its progress, an ended one with its last number and its text', async () => {
      const { replyId, owner } = await open()
      expect(await log.find(replyId)).toEqual({ type: 'running' })
      expect(await log.findProgress([replyId])).toEqual([{ replyId, lastSeq: -1 }])
      await appendTo(owner, framesFrom(0, 3))
      expect(await log.find(replyId)).toEqual({ type: 'running' })
      expect(await log.findProgress([replyId])).toEqual([{ replyId, lastSeq: 2 }])
      await log.finish(owner, 3, completed({ type: 'stopped', parts: [{ type: 'text', text: 'all' }] }))
      expect(await log.find(replyId)).toEqual({ type: 'stopped', lastSeq: 3, text: 'all' })
      expect(await log.findProgress([replyId])).toEqual([{ replyId, lastSeq: 3 }])
    })

    test('one that is gone, or never was, is null and is left out', async () => {
      const [kept, deleted] = [await open(), await open()]
      await appendTo(deleted.owner, [frame(0)])
      await deleteReply(deleted)
      expect(await log.find(deleted.replyId)).toBeNull()
      expect(await log.find(randomUUID())).toBeNull()
      const asked = [deleted.replyId, randomUUID(), kept.replyId]
      expect(await log.findProgress(asked)).toEqual([{ replyId: kept.replyId, lastSeq: -1 }])
      expect(await log.findProgress([])).toEqual([])
    })
  })
}

/** What is not needed any more. */
export function describeSweep(bench: LogBench): void {
  const { log, open, appendTo, deleteReply } = new Hands(bench)
  describe('sweep', () => {
    test('deletes frames of replies that ended long enough ago, or are gone, and no others', async () => {
      const [ended, recent, running, deleted] = await Promise.all([open(), open(), open(), open()])
      for (const { owner } of [ended, recent, running, deleted]) await appendTo(owner, framesFrom(0, 2))
      const parts = [{ type: 'text' as const, text: 'kept in the message' }]
      await log.finish(ended.owner, 2, completed({ parts }))
      await deleteReply(deleted)
      await sleep(80)
      await log.finish(recent.owner, 2, completed({ parts }))
      await log.sweep(60)
      const left = await Promise.all(
        [ended, recent, running, deleted].map(async ({ replyId }) => (await log.read(replyId, -1)).length),
      )
      expect(left).toEqual([0, 3, 2, 0])
      expect(await log.find(ended.replyId)).toEqual({
        type: 'completed',
        lastSeq: 2,
        text: 'kept in the message',
      })
    })
  })
}
