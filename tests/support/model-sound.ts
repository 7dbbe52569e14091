import { expect } from 'vitest'
import { AppError, statusOf } from '../../lib/errors'
import type { Heard } from './model-call'

const finishes = ['stop', 'length', 'refusal', 'content_filter', 'tool']
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0')
const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31

/** Whatever a server sent: the answer is made of good events and ends with `done` alone or with an error of ours. */
export function expectSound({ events, done, error }: Heard): void {
  expect(done === null).toBe(error !== null)
  if (error !== null) {
    expect(error).toBeInstanceOf(AppError)
    expect(Object.keys(statusOf)).toContain(error.code)
    expect(error.code).not.toBe('internal')
    expect(error.message).toMatch(/^\P{Cc}{10,2000}$/u)
  }
  for (const event of events) {
    if (event.type === 'resumable') expect(event.responseId).toMatch(/^[\w-]+$/)
    else if (event.type === 'done') expect(event).toBe(events.at(-1))
    else expect(event.text !== '' && isStorable(event.text)).toBe(true)
  }
  if (done === null) return
  expect(finishes).toContain(done.finish)
  expect(Object.values(done.usage ?? {}).every(isCount)).toBe(true)
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
}
