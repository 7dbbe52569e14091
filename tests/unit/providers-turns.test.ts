import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { atNextTurn } from '../../lib/providers/turns'

const tickMs = 25

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.advanceTimersByTime(10 * tickMs)
  vi.useRealTimers()
})

/** So many who wait; what comes back tells for how many ticks each did. */
function wait(count: number): number[] {
  const waited: number[] = Array(count).fill(0)
  const since = Date.now()
  for (let index = 0; index < count; index++)
    atNextTurn(() => {
      waited[index] = (Date.now() - since) / tickMs
    })
  return waited
}

test('a few are called at the next tick, all together', () => {
  const waited = wait(50)
  vi.advanceTimersByTime(tickMs - 1)
  expect(waited.every((ticks) => ticks === 0)).toBe(true)
  vi.advanceTimersByTime(1)
  expect(waited.every((ticks) => ticks === 1)).toBe(true)
})

test('many take turns, and nobody waits for longer than four ticks', () => {
  const waited = wait(1000)
  vi.advanceTimersByTime(4 * tickMs)
  const count = (ticks: number) => waited.filter((each) => each === ticks).length
  expect([1, 2, 3, 4].map(count)).toEqual([50, 50, 50, 850])
})

test('who waits again in the callback waits for another turn', () => {
  let calls = 0
  const again = () => {
    calls += 1
    atNextTurn(again)
  }
  const stop = atNextTurn(again)
  vi.advanceTimersByTime(3 * tickMs)
  expect(calls).toBe(3)
  stop()
})

test('who waits no longer is not called, not even by a turn that has begun', () => {
  const called: string[] = []
  let leave = () => {}
  atNextTurn(() => {
    called.push('first')
    leave()
  })
  leave = atNextTurn(() => called.push('second'))
  vi.advanceTimersByTime(5 * tickMs)
  expect(called).toEqual(['first'])
})

test('where nobody waits, no timer runs', () => {
  wait(3)
  vi.advanceTimersByTime(3 * tickMs)
  expect(vi.getTimerCount()).toBe(0)
  wait(1)
  expect(vi.getTimerCount()).toBe(1)
})
