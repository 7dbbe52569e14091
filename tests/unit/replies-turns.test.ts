import { expect, test } from 'vitest'
import { Turns } from '../../lib/replies/turns'

test('a turn that begins while nobody waits is there for who waits next', () => {
  const turns = new Turns()
  const leave = turns.onChange(() => {})
  expect(turns.end()).toBe(true)
  // The connection breaks, and another one goes on.
  leave()
  turns.begin()
  turns.onChange(() => {})
  expect(turns.isTurn).toBe(true)
})

test('a turn ends only for who waits for the next one', () => {
  const turns = new Turns()
  expect(turns.end()).toBe(false)
  expect(turns.isTurn).toBe(true)
})

test('each change is told once', () => {
  const turns = new Turns()
  const told: boolean[] = []
  turns.onChange(() => told.push(turns.isTurn))
  for (const change of ['begin', 'end', 'end', 'begin', 'begin', 'end'] as const) turns[change]()
  expect(told).toEqual([false, true, false])
})
