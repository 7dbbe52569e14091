import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { publish, subscribe } from '../../lib/bus'
import { type Bus, tellFrames } from '../../lib/replies/bus'
import type { Frame } from '../../lib/replies/frame'
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
