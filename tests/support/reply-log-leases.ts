import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { readWhole } from '../../lib/replies/log'
import { completed, expired, frame, framesFrom, Hands, type LogBench, leaseOf } from './reply-log-bench'

/** Who writes a reply, and for how long. */
export function describeLeases(bench: LogBench): void {
  const { log, open, clearExpired, deleteReply } = new Hands(bench)
  describe('leases', () => {
    test('renewing keeps a reply from being taken over, and says what is still the node’s', async () => {
      const [ours, theirs, ended, deleted] = await Promise.all([
        open({ nodeId: 'a', leaseMs: expired }),
        open({ nodeId: 'b' }),
        open({ nodeId: 'a' }),
        open({ nodeId: 'a' }),
      ])
      await log.finish(ended.owner, 0, completed())
      await deleteReply(deleted)
      const asked = [ours, theirs, ended, deleted].map(({ replyId }) => replyId)
      expect(await log.renew(leaseOf('a'), asked)).toEqual([{ replyId: ours.replyId, stopRequested: false }])
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
}

/** Replies whose writers are gone. */
export function describeTakeOver(bench: LogBench): void {
  const { log, open, openMany, clearExpired } = new Hands(bench)
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
}

/** A writer that takes its own reply over, because it does not know what became of its appends. */
export function describeReclaim(bench: LogBench): void {
  const { log, open, appendTo, clearExpired, deleteReply } = new Hands(bench)
  describe('reclaim', () => {
    test('raises the epoch and the lease, keeps what is written, and is harmless again', async () => {
      await clearExpired()
      const { replyId, owner } = await open({ nodeId: 'a', leaseMs: expired })
      await appendTo(owner, [frame(0)])
      const raised = { replyId, epoch: 2 }
      expect(await log.reclaim(leaseOf('a'), owner)).toEqual(raised)
      expect(await log.reclaim(leaseOf('a'), owner)).toEqual(raised)
      expect(await log.takeOver(leaseOf('b'), [], 100)).toEqual([])
      expect(await appendTo(owner, [frame(1)])).toEqual([replyId])
      expect(await log.finish(owner, 1, completed())).toBe(false)
      expect(await appendTo(raised, [frame(1)])).toEqual([])
      expect(await log.read(replyId, -1)).toEqual(framesFrom(0, 2))
      expect(await log.finish(raised, 2, completed())).toBe(true)
    })

    test('is refused to who has lost the reply, and when it has ended or is deleted', async () => {
      await clearExpired()
      const [taken, ended, deleted, released] = await Promise.all([
        open({ nodeId: 'a', leaseMs: expired }),
        open({ nodeId: 'a' }),
        open({ nodeId: 'a' }),
        open({ nodeId: 'a' }),
      ])
      await log.takeOver(leaseOf('b'), [], 100)
      await log.finish(ended.owner, 0, completed())
      await deleteReply(deleted)
      await log.release(released.owner)
      for (const { owner } of [taken, ended, deleted, released]) {
        expect(await log.reclaim(leaseOf('a'), owner)).toBeNull()
      }
      expect(await appendTo({ ...taken.owner, epoch: 2 }, [frame(0)])).toEqual([])
    })

    test('once it has returned, none of the writer’s earlier appends lands any more', async () => {
      for (let round = 0; round < 12; round++) {
        const { replyId, owner } = await open({ nodeId: 'a' })
        const stray = Array.from({ length: 6 }, (_, n) =>
          appendTo(owner, framesFrom(n * 400, 400, 'y'.repeat(80))),
        )
        const raised = await log.reclaim(leaseOf('a'), owner)
        const before = await readWhole(log, replyId)
        await Promise.all(stray)
        expect(raised).toEqual({ replyId, epoch: 2 })
        expect(await readWhole(log, replyId)).toHaveLength(before.length)
      }
    })
  })
}
