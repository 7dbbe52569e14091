import { inspect } from 'node:util'
import { expect } from 'vitest'
import { AppError } from '../../lib/errors'
import { remedyFor } from '../../lib/providers'
import { canary, type Heard } from './model-call'

/** What a reader must be told: the code, what the page offers, and the words. */
export type Told = [code: string, remedy: string, message: RegExp]

/** The error is typed, says what happened and what to do, and holds the key nowhere. */
export function expectFault({ error }: Heard, [code, remedy, message]: Told) {
  if (error === null) throw new Error('The call did not fail.')
  expect(error).toBeInstanceOf(AppError)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
  expect(remedyFor(error)).toBe(remedy)
  expect(everythingIn(error)).not.toContain(canary)
  expect(error.message).not.toMatch(/undefined|null|\[object/)
}

/** All that a log or an inspector could show of an error. */
function everythingIn(error: Error): string {
  const chain = [error, error.cause].map(
    (link) => `${inspect(link, { depth: 9, showHidden: true })}${JSON.stringify(link)}`,
  )
  return `${chain.join()}${error.stack}`
}

/** What a careless server might say. */
export const echo = `You sent "${canary}", that is Bearer ${canary}. What now?`
