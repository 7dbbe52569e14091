import { beforeEach, expect, test } from 'vitest'
import {
  admitCall,
  listOpenCircuits,
  noteCallFailure,
  noteCallNothing,
  noteCallSuccess,
} from '../../lib/providers/breaker'

const key = 'a key'
const start = 1_800_000_000_000
const fail = (at: number, times = 1) => {
  for (let n = 0; n < times; n++) noteCallFailure(key, 'The team’s key', at)
}

beforeEach(() => noteCallSuccess(key))

test('five failures within 30 s, and nobody asks for half a minute', () => {
  fail(start, 4)
  expect(admitCall(key, start)).toEqual({ isAdmitted: true })
  fail(start + 29_000)
  expect(admitCall(key, start + 29_001)).toMatchObject({ isAdmitted: false, waitMs: 29_999 })
  expect(listOpenCircuits(start + 29_001)).toEqual([
    { label: 'The team’s key', triesAgainAt: start + 59_000 },
  ])
})

test('failures that lie further apart open nothing', () => {
  for (let n = 0; n < 20; n++) fail(start + n * 8000)
  expect(admitCall(key, start + 160_000)).toEqual({ isAdmitted: true })
  expect(listOpenCircuits(start + 160_000)).toEqual([])
})

test('an answer in between sets the count back', () => {
  fail(start, 4)
  noteCallSuccess(key)
  fail(start, 4)
  expect(admitCall(key, start)).toEqual({ isAdmitted: true })
})

test('after half a minute one call tries, and decides for the others', () => {
  fail(start, 5)
  const later = start + 30_001
  expect(admitCall(key, later)).toEqual({ isAdmitted: true })
  expect(admitCall(key, later)).toMatchObject({ isAdmitted: false })
  fail(later)
  expect(admitCall(key, later + 1)).toMatchObject({ isAdmitted: false, waitMs: 29_999 })
  expect(admitCall(key, later + 30_001)).toEqual({ isAdmitted: true })
  noteCallSuccess(key)
  expect(admitCall(key, later + 30_002)).toEqual({ isAdmitted: true })
  expect(listOpenCircuits(later + 30_002)).toEqual([])
})

test('a trying call that tells nothing leaves the try to the next one', () => {
  fail(start, 5)
  const later = start + 30_001
  admitCall(key, later)
  noteCallNothing(key)
  expect(admitCall(key, later)).toEqual({ isAdmitted: true })
})

test('one key’s failures are not another’s', () => {
  fail(start, 5)
  expect(admitCall('another', start)).toEqual({ isAdmitted: true })
})
