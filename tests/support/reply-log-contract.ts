import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Ending, Frame } from '../../lib/replies/frame'
import { isFullPage, type Lease, type Owner, page, type ReplyLog, readWhole } from '../../lib/replies/log'
import type { OpenRow, StoredMessage } from './reply-rows'

/** A log, and what stands around it: how replies come, go, and what becomes of their messages. */
export type LogBench = {
  log: ReplyLog
  /** A new running reply under this lease; one of less than 0 ms has run out. Its epoch is 1. */
  openReply(lease: Lease): Promise<OpenRow>
  deleteReply(row: OpenRow): Promise<void>
  findMessage(row: OpenRow): Promise<StoredMessage | null>
}

const forLong = 600_000
const expired = -1000

const frame = (seq: number, text = `<${seq}>`): Frame => ({ seq, type: 'text', text })
const framesFrom = (first: number, count: number, text?: string) =>
  Array.from({ length: count }, (_, n) => frame(first + n, text))
const completed = (change: Partial<Ending> = {}): Ending => ({
  type: 'completed',
  parts: [],
  usage: null,
  error: null,
  model: null,
  provider: null,
  finish: null,
  ...change,
})
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What every backend of the reply log has to keep to. */
export function describeReplyLog(name: string, make: () => Promise<LogBench>): void {
  describe(`the reply log in ${name}`, () => {
    let bench: LogBench
    let log: ReplyLog
    beforeAll(async () => {
      bench = await make()
      log = bench.log
    })

    const open = async (lease: Partial<Lease> = {}): Promise<OpenRow & { owner: Owner }> => {
      const row = await bench.openReply({ nodeId: 'node', leaseMs: forLong, ...lease })
      return { ...row, owner: { replyId: row.replyId, epoch: 1 } }
    }
    const openMany = (count: number, lease: Partial<Lease>) =>
      Promise.all(Array.from({ length: count }, () => open(lease)))
    const appendTo = (owner: Owner, frames: Frame[]) => log.append([{ ...owner, frames }])
    const leaseOf = (nodeId: string, leaseMs = forLong): Lease => ({ nodeId, leaseMs })
    /** Nothing that another test left behind is in the way. */
    const clearExpired = async () => {
      while ((await log.takeOver(leaseOf('nobody'), [], 1000)).length > 0);
    }

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
        const [ours, older, newer, ended, deleted] = await Promise.all([
          open(),
          open(),
          open(),
          open(),
          open(),
        ])
        await log.finish(ended.owner, 0, completed())
        await bench.deleteReply(deleted)
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
        await bench.deleteReply(deleted)
        expect(await log.find(deleted.replyId)).toBeNull()
        expect(await log.find(randomUUID())).toBeNull()
        const asked = [deleted.replyId, randomUUID(), kept.replyId]
        expect(await log.findProgress(asked)).toEqual([{ replyId: kept.replyId, lastSeq: -1 }])
        expect(await log.findProgress([])).toEqual([])
      })
    })

    describe('finish', () => {
      test('writes the terminal frame and folds parts, text, usage, error, model and finish into the message', async () => {
        const row = await open()
        await appendTo(row.owner, framesFrom(0, 2))
        const ending = completed({
          type: 'failed',
          parts: [
            { type: 'reasoning', text: 'hm' },
            { type: 'text', text: 'one' },
            { type: 'text', text: 'two' },
          ],
          usage: {
            input_tokens: 3,
            output_tokens: 4,
            total_tokens: 7,
            cached_tokens: 1,
            reasoning_tokens: 2,
          },
          error: { code: 'provider_failed', message: 'It broke.', remedy: 'retry' },
          model: 'm-1',
          provider: 'openai',
          finish: 'length',
        })
        expect(await log.finish(row.owner, 2, ending)).toBe(true)
        expect((await log.read(row.replyId, 1)).map(({ seq, type, text }) => [seq, type, text])).toEqual([
          [2, 'failed', ''],
        ])
        const { type: status, ...rest } = ending
        expect(await bench.findMessage(row)).toEqual({ ...rest, status, text: 'one\n\ntwo' })
      })

      test('whatever characters a model or an error has, the reply can be ended', async () => {
        const row = await open()
        const hostile = 'a\u0000b\ud83dc\ude00d'
        const ending = completed({
          type: 'failed',
          error: { code: 'provider_failed', message: hostile, remedy: 'retry' },
          model: hostile,
          provider: hostile,
        })
        await log.noteUpstream(row.owner, { provider: hostile, model: hostile, id: hostile })
        expect(await log.finish(row.owner, 0, ending)).toBe(true)
        expect(await bench.findMessage(row)).toMatchObject({
          status: 'failed',
          model: 'a\ufffdb\ufffdc\ufffdd',
          error: { message: 'a\ufffdb\ufffdc\ufffdd' },
        })
      })

      test('happens once, also when many try at the same moment', async () => {
        const row = await open()
        const types = ['completed', 'stopped', 'failed', 'interrupted'] as const
        const tries = Array.from({ length: 20 }, (_, n) =>
          log.finish(row.owner, 0, completed({ type: types[n % 4] ?? 'completed' })),
        )
        const won = (await Promise.all(tries)).flatMap((isOurs, n) => (isOurs ? [types[n % 4]] : []))
        expect(won).toHaveLength(1)
        expect(await log.find(row.replyId)).toMatchObject({ type: won[0], lastSeq: 0 })
        expect((await bench.findMessage(row))?.status).toBe(won[0])
        expect((await log.read(row.replyId, -1)).map(({ type }) => type)).toEqual(won)
      })

      test('is refused to a writer of another epoch and to one whose reply is deleted, and changes nothing', async () => {
        const [taken, deleted] = [await open({ leaseMs: expired }), await open()]
        await clearExpired()
        await bench.deleteReply(deleted)
        const text = completed({ parts: [{ type: 'text', text: 'not mine' }] })
        expect(await log.finish(taken.owner, 0, text)).toBe(false)
        expect(await log.finish(deleted.owner, 0, text)).toBe(false)
        expect(await bench.findMessage(taken)).toMatchObject({ status: 'running', text: '' })
        expect(await log.find(taken.replyId)).toEqual({ type: 'running' })
        expect(await log.read(taken.replyId, -1)).toEqual([])
      })

      test('either ends a reply or leaves it to be taken over, never both', async () => {
        for (let round = 0; round < 15; round++) {
          await clearExpired()
          const rows = await openMany(4, { leaseMs: expired })
          const [taken, ...ended] = await Promise.all([
            log.takeOver(leaseOf('other'), [], 100),
            ...rows.map(({ owner }) => log.finish(owner, 0, completed())),
          ])
          const takenIds = new Set(taken.map(({ replyId }) => replyId))
          for (const [n, { replyId }] of rows.entries()) {
            // One that somebody was ending at that moment may be passed over; then it has ended.
            expect(ended[n]).toBe(!takenIds.has(replyId))
          }
        }
      })
    })

    describe('leases', () => {
      test('renewing keeps a reply from being taken over, and says what is still the node’s', async () => {
        const [ours, theirs, ended, deleted] = await Promise.all([
          open({ nodeId: 'a', leaseMs: expired }),
          open({ nodeId: 'b' }),
          open({ nodeId: 'a' }),
          open({ nodeId: 'a' }),
        ])
        await log.finish(ended.owner, 0, completed())
        await bench.deleteReply(deleted)
        const asked = [ours, theirs, ended, deleted].map(({ replyId }) => replyId)
        expect(await log.renew(leaseOf('a'), asked)).toEqual([
          { replyId: ours.replyId, stopRequested: false },
        ])
        const taken = await log.takeOver(leaseOf('c'), [], 100)
        expect(taken.map(({ replyId }) => replyId)).not.toContain(ours.replyId)
        expect(await log.renew(leaseOf('a'), [])).toEqual([])
      })

      test('a renewed lease runs out in its turn', async () => {
        await clearExpired()
        const { replyId } = await open({ nodeId: 'a', leaseMs: expired })
        await log.renew(leaseOf('a', 30), [replyId])
        await sleep(60)
        expect(await log.takeOver(leaseOf('b'), [], 100)).toMatchObject([{ replyId }])
      })

      test('a stop is told to whoever renews or takes over, and to nobody once the reply has ended', async () => {
        await clearExpired()
        const [running, gone, ended] = [await open(), await open({ leaseMs: expired }), await open()]
        await log.finish(ended.owner, 0, completed())
        for (const { replyId } of [running, gone, ended]) {
          await log.requestStop(replyId)
          await log.requestStop(replyId)
        }
        await log.requestStop(randomUUID())
        expect(await log.renew(leaseOf('node'), [running.replyId])).toEqual([
          { replyId: running.replyId, stopRequested: true },
        ])
        expect(await log.takeOver(leaseOf('b'), [], 100)).toMatchObject([
          { replyId: gone.replyId, stopRequested: true },
        ])
        expect(await log.find(ended.replyId)).toMatchObject({ type: 'completed' })
      })

      test('what was noted of the upstream is told to who takes over; the last word counts, and only the owner’s', async () => {
        await clearExpired()
        const { owner, replyId, messageId, conversationId } = await open({ leaseMs: expired })
        await log.noteUpstream(owner, { provider: 'p', model: 'm', responseId: null })
        await log.noteUpstream(owner, { provider: 'p', model: 'm', responseId: 'r1' })
        await log.noteUpstream({ ...owner, epoch: 9 }, { provider: 'x', model: 'x' })
        const [taken] = await log.takeOver(leaseOf('b'), [], 100)
        expect(taken).toMatchObject({ replyId, messageId, conversationId, epoch: 2, stopRequested: false })
        expect(taken?.upstream).toEqual({ provider: 'p', model: 'm', responseId: 'r1' })
        await log.noteUpstream(owner, { provider: 'zombie', model: 'm' })
        await log.release({ replyId, epoch: 2 })
        expect(await log.takeOver(leaseOf('c'), [], 100)).toMatchObject([
          { replyId, epoch: 3, upstream: { provider: 'p' } },
        ])
      })

      test('a released reply is for the taking at once, but only its owner can release it', async () => {
        await clearExpired()
        const [ours, ended] = [await open(), await open()]
        await log.finish(ended.owner, 0, completed())
        await log.release({ ...ours.owner, epoch: 2 })
        await log.release(ended.owner)
        expect(await log.takeOver(leaseOf('b'), [], 100)).toEqual([])
        await log.release(ours.owner)
        expect(await log.takeOver(leaseOf('b'), [], 100)).toMatchObject([{ replyId: ours.replyId, epoch: 2 }])
      })

      test('a renewal that was late does not take a released reply back', async () => {
        await clearExpired()
        const { replyId, owner } = await open({ nodeId: 'a' })
        await log.release(owner)
        expect(await log.renew(leaseOf('a'), [replyId])).toEqual([])
        expect(await log.takeOver(leaseOf('b'), [], 100)).toMatchObject([{ replyId }])
      })
    })

    describe('takeOver', () => {
      test('when all leases are ended, all that runs is for the taking', async () => {
        await clearExpired()
        const [running, ended] = await Promise.all([openMany(3, {}), open()])
        await log.finish(ended.owner, 0, completed())
        await log.expireLeases()
        const taken = (await log.takeOver(leaseOf('b'), [], 1000)).map(({ replyId }) => replyId)
        expect(taken).toEqual(expect.arrayContaining(running.map(({ replyId }) => replyId)))
        expect(taken).not.toContain(ended.replyId)
      })

      test('takes what has expired and still runs, except what it is told to leave, and no more than its limit', async () => {
        await clearExpired()
        const [gone, kept, running, ended] = await Promise.all([
          openMany(5, { leaseMs: expired }),
          open({ leaseMs: expired }),
          open(),
          open({ leaseMs: expired }),
        ])
        await log.finish(ended.owner, 0, completed())
        const first = await log.takeOver(leaseOf('b'), [kept.replyId], 3)
        const second = await log.takeOver(leaseOf('b'), [kept.replyId], 3)
        expect([first.length, second.length]).toEqual([3, 2])
        const taken = [...first, ...second]
        expect(taken.map(({ replyId }) => replyId).sort()).toEqual(gone.map(({ replyId }) => replyId).sort())
        expect(new Set(taken.map(({ epoch }) => epoch))).toEqual(new Set([2]))
        expect(await log.renew(leaseOf('node'), [running.replyId])).toHaveLength(1)
        expect(await log.renew(leaseOf('b'), [kept.replyId])).toEqual([])
      })

      test('of fifty nodes that try at once no two get the same reply, and none is left over', async () => {
        await clearExpired()
        const gone = await openMany(60, { leaseMs: expired })
        const calls = Array.from({ length: 50 }, (_, n) => log.takeOver(leaseOf(`node ${n}`), [], 7))
        const taken = (await Promise.all(calls)).flat().map(({ replyId, epoch }) => `${replyId} ${epoch}`)
        expect(taken.sort()).toEqual(gone.map(({ replyId }) => `${replyId} 2`).sort())
      })

      test('once it has returned, no append of an older epoch lands any more', async () => {
        for (let round = 0; round < 12; round++) {
          await clearExpired()
          const gone = await openMany(6, { leaseMs: expired })
          let isOver = false
          // Old writers at work: groups of many frames of all replies, so that some are in the middle at any moment.
          const write = async (writer: number) => {
            for (let n = 0; !isOver; n++) {
              const first = (writer * 1000 + n) * 150
              await log.append(
                gone.map(({ owner }) => ({ ...owner, frames: framesFrom(first, 150, 'y'.repeat(80)) })),
              )
            }
          }
          const writers = Array.from({ length: 6 }, (_, writer) => write(writer))
          await sleep(5 + round)
          const taken = (await Promise.all([0, 1].map((n) => log.takeOver(leaseOf(`n${n}`), [], 4)))).flat()
          const said = await Promise.all(taken.map(({ replyId }) => log.findProgress([replyId])))
          const counts = await Promise.all(taken.map(({ replyId }) => readWhole(log, replyId)))
          await sleep(25)
          isOver = true
          await Promise.all(writers)
          expect(taken).toHaveLength(6)
          expect(await Promise.all(taken.map(({ replyId }) => log.findProgress([replyId])))).toEqual(said)
          const after = await Promise.all(taken.map(({ replyId }) => readWhole(log, replyId)))
          expect(after.map(({ length }) => length)).toEqual(counts.map(({ length }) => length))
          const owners = gone.map(({ owner }) => ({ ...owner, frames: [frame(9)] }))
          expect(await log.append(owners)).toHaveLength(6)
        }
      })
    })

    describe('sweep', () => {
      test('deletes frames of replies that ended long enough ago, or are gone, and no others', async () => {
        const [ended, recent, running, deleted] = await Promise.all([open(), open(), open(), open()])
        for (const { owner } of [ended, recent, running, deleted]) await appendTo(owner, framesFrom(0, 2))
        const parts = [{ type: 'text' as const, text: 'kept in the message' }]
        await log.finish(ended.owner, 2, completed({ parts }))
        await bench.deleteReply(deleted)
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
  })
}
