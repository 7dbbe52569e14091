import { describe, expect, test } from 'vitest'
import { completed, expired, framesFrom, Hands, type LogBench, leaseOf } from './reply-log-bench'

/** One end, folded into the message. */
export function describeFinish(bench: LogBench): void {
  const { log, open, openMany, appendTo, clearExpired, deleteReply, findMessage } = new Hands(bench)
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
      expect(await findMessage(row)).toEqual({ ...rest, status, text: 'one\n\ntwo' })
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
      expect(await findMessage(row)).toMatchObject({
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
      expect((await findMessage(row))?.status).toBe(won[0])
      expect((await log.read(row.replyId, -1)).map(({ type }) => type)).toEqual(won)
    })

    test('is refused to a writer of another epoch and to one whose reply is deleted, and changes nothing', async () => {
      const [taken, deleted] = [await open({ leaseMs: expired }), await open()]
      await clearExpired()
      await deleteReply(deleted)
      const text = completed({ parts: [{ type: 'text', text: 'not mine' }] })
      expect(await log.finish(taken.owner, 0, text)).toBe(false)
      expect(await log.finish(deleted.owner, 0, text)).toBe(false)
      expect(await findMessage(taken)).toMatchObject({ status: 'running', text: '' })
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
}
