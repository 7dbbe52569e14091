import { beforeEach, expect, test, vi } from 'vitest'
import { addCount, clearCount, publish, subscribe } from '../../lib/bus'

process.env.LOG_LEVEL = 'silent'

let topic = 0
const newTopic = () => `topic ${topic++}`
beforeEach(() => () => vi.useRealTimers())

test('a listener that throws keeps the message from nobody, nor from coming again', () => {
  const name = newTopic()
  const heard: unknown[] = []
  subscribe(name, () => {
    throw new Error('a fault of its own')
  })
  subscribe(name, (message) => heard.push(message))
  expect(() => publish(name, 1)).not.toThrow()
  publish(name, 2)
  expect(heard).toEqual([1, 2])
})

test('every topic is like any other, also one called error that nobody listens to', () => {
  expect(() => publish('error', new Error('heard by nobody'))).not.toThrow()
})

test('who stops listening hears no more, who stops while being told is no trouble to the others', () => {
  const name = newTopic()
  const heard: string[] = []
  const stop = subscribe(name, () => {
    heard.push('first')
    stop()
  })
  subscribe(name, () => heard.push('second'))
  publish(name, null)
  publish(name, null)
  expect(heard).toEqual(['first', 'second', 'second'])
})

test('a counter counts within a window that begins with its first count', async () => {
  vi.useFakeTimers()
  const key = newTopic()
  expect(await addCount(key, 1000, 1)).toEqual({ count: 1, resetMs: 1000 })
  vi.advanceTimersByTime(400)
  expect(await addCount(key, 1000, 2)).toEqual({ count: 3, resetMs: 600 })
  vi.advanceTimersByTime(600)
  expect(await addCount(key, 1000, 1)).toEqual({ count: 1, resetMs: 1000 })
})

test('negative numbers take back, but never below nothing', async () => {
  const key = newTopic()
  await addCount(key, 60_000, 2)
  expect((await addCount(key, 60_000, -1)).count).toBe(1)
  expect((await addCount(key, 60_000, -5)).count).toBe(0)
  expect((await addCount(key, 60_000, 1)).count).toBe(1)
  await clearCount(key)
  expect((await addCount(key, 60_000, 0)).count).toBe(0)
})

test('under ever new names only so many are kept, the latest of them, and other kinds are left alone', async () => {
  const flood = newTopic()
  const names = 50_000
  await addCount(`calm ${flood}:one`, 60_000, 7)
  for (let number = 0; number <= names; number++) await addCount(`${flood}:${number}`, 60_000, 1)
  expect((await addCount(`${flood}:0`, 60_000, 0)).count).toBe(0)
  expect((await addCount(`${flood}:${names / 2}`, 60_000, 0)).count).toBe(1)
  expect((await addCount(`${flood}:${names}`, 60_000, 0)).count).toBe(1)
  expect((await addCount(`calm ${flood}:one`, 60_000, 0)).count).toBe(7)
})
