import type { UsageQuery } from '../contracts/usage'
import { AppError } from '../errors'

export type Period = { from: Date; to: Date }

export const dayMs = 86_400_000
const usualDays = 30
const maxDays = 400

/**
 * The time that a query asks about, from its first moment to the first that is left out. Days are UTC's. Throws
 * invalid_input where it ends before it begins, or is longer than 400 days.
 */
export function readPeriod({ from, to }: Pick<UsageQuery, 'from' | 'to'>, now = new Date()): Period {
  const end = to === undefined ? now : endOf(to)
  const start = from === undefined ? startOfDay(end.getTime() - usualDays * dayMs) : new Date(from)
  if (start >= end) throw badPeriod('from', 'This must be before the end.')
  if (end.getTime() - start.getTime() > maxDays * dayMs)
    throw badPeriod('from', `At most ${maxDays} days at once.`)
  return { from: start, to: end }
}

function endOf(to: string): Date {
  const given = new Date(to)
  return to.includes('T') ? given : new Date(given.getTime() + dayMs)
}

function startOfDay(time: number): Date {
  return new Date(Math.floor(time / dayMs) * dayMs)
}

function badPeriod(path: string, message: string): AppError {
  return new AppError('invalid_input', `${path}: ${message}`, { issues: [{ path, message }] })
}
