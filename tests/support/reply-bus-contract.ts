import { randomUUID } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { type Bus, hearFrames, hearStop, tellFrames, tellStop } from '../../lib/replies/bus'
import type { Frame } from '../../lib/replies/frame'
import { until } from './until'

/** What every backend of the bus has to keep to. `make` gives two ends of it, as two servers have; one may be both. */
export function describeBus(name: string, make: () => Promise<[Bus, Bus]>): void {
  describe(`the bus in ${name}`, () => {
    const frames: Frame[] = [
      { seq: 3, type: 'text', text: 'é😀\r\n' },
      { seq: 4, type: 'reasoning', text: 'hm', cursor: 12 },
      { seq: 5, type: 'completed', text: '' },
    ]

    test('frames and stops are heard at both ends, unchanged, by everyone who listens to that reply', async () => {
      const [here, there] = await make()
      const replyId = randomUUID()
      const heard: Frame[][] = []
      const stops: string[] = []
      for (const bus of [here, there, there]) {
        hearFrames(bus, replyId, (some) => heard.push(some))
        hearStop(bus, replyId, () => stops.push('stop'))
      }
      tellFrames(here, replyId, frames)
      tellStop(there, replyId)
      await until(() => expect([heard.length, stops.length]).toEqual([3, 3]))
      for (const some of heard) expect(some).toEqual(frames)
    })

    test('what one reply is told, no other hears, nor is a stop taken for frames', async () => {
      const [here, there] = await make()
      const [ours, other] = [randomUUID(), randomUUID()]
      const heard: string[] = []
      hearFrames(there, ours, (some) => heard.push(`ours ${some.length}`))
      hearFrames(there, other, () => heard.push('other'))
      hearStop(there, ours, () => heard.push('stop'))
      hearStop(there, other, () => heard.push('other stop'))
      tellFrames(here, ours, frames)
      tellStop(here, ours)
      await until(() => expect(heard.sort()).toEqual(['ours 3', 'stop']))
    })

    test('what is told in turn is heard in turn', async () => {
      const [here, there] = await make()
      const replyId = randomUUID()
      const heard: number[] = []
      hearFrames(there, replyId, (some) => heard.push(...some.map(({ seq }) => seq)))
      const seqs = Array.from({ length: 200 }, (_, seq) => seq)
      for (const seq of seqs) tellFrames(here, replyId, [{ seq, type: 'text', text: '' }])
      await until(() => expect(heard).toEqual(seqs))
    })

    test('who has left hears nothing more, the others still do, and leaving twice harms nobody', async () => {
      const [here, there] = await make()
      const replyId = randomUUID()
      const [left, stayed] = [vi.fn(), vi.fn()]
      const leave = hearStop(there, replyId, left)
      hearStop(there, replyId, stayed)
      leave()
      leave()
      tellStop(here, replyId)
      await until(() => expect(stayed).toHaveBeenCalledTimes(1))
      expect(left).not.toHaveBeenCalled()
    })

    test('one may leave, or come, in the middle of a message', async () => {
      const [here] = await make()
      const replyId = randomUUID()
      const heard: string[] = []
      const leave = hearStop(here, replyId, () => {
        heard.push('first')
        leave()
        hearStop(here, replyId, () => heard.push('late'))
      })
      hearStop(here, replyId, () => heard.push('second'))
      tellStop(here, replyId)
      await until(() => expect(heard).toEqual(['first', 'second']))
      tellStop(here, replyId)
      await until(() => expect(heard.slice(2).sort()).toEqual(['late', 'second']))
    })

    test('telling where nobody listens, and a listener that throws, are no fault of who tells', async () => {
      const [here, there] = await make()
      const replyId = randomUUID()
      const heard = vi.fn()
      hearStop(there, replyId, () => {
        throw new Error('mine')
      })
      hearStop(there, replyId, heard)
      tellStop(here, randomUUID())
      tellStop(here, replyId)
      await until(() => expect(heard).toHaveBeenCalledTimes(1))
    })
  })
}
