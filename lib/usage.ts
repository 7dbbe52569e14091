import type { Actor } from './auth'
import type { DayOfUse } from './contracts/usage'
import { db } from './db'
import { dayMs } from './usage/period'

export { type Reservation, releaseUse, requireUseLeft, reserveUse, type Wish } from './usage/budget'
export { exportUsage } from './usage/csv'
export type { UsageRecord } from './usage/entry'
export { holdUse } from './usage/leases'
export { findModelLimits, type ModelLimits } from './usage/model-limits'
export { listPrices, setPrice } from './usage/prices'
export { findCost, recordUsage } from './usage/record'
export { writeLimits } from './usage/refusals'
export { listUsageByDay, summarizeUsage } from './usage/sums'
export { closeBudgets, openBudgets, sweepReservations } from './usage/sweep'
export { listTraffic } from './usage/traffic'
export { pauseOf, withUnseen } from './usage/unseen'

const daysShown = 7

type DayRow = { day: string; requests: number; tokens: number }

/** The actor's own use on each of the last seven days, in UTC, the oldest first and today last. */
export async function summarizeWeek(actor: Actor): Promise<DayOfUse[]> {
  const today = Math.floor(Date.now() / dayMs) * dayMs
  const days = Array.from({ length: daysShown }, (_, index) => today - (daysShown - 1 - index) * dayMs)
  const since = new Date(days[0] ?? today)
  const rows = await db().$queryRaw<DayRow[]>`
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
           count(*)::int AS requests, sum(input_tokens::bigint + output_tokens)::float8 AS tokens
    FROM usage_entries WHERE user_id = ${actor.userId}::uuid AND at >= ${since} GROUP BY 1`
  const found = new Map(rows.map((row) => [row.day, row]))
  return days.map((time) => {
    const day = new Date(time).toISOString().slice(0, 10)
    return { day, requests: found.get(day)?.requests ?? 0, tokens: found.get(day)?.tokens ?? 0 }
  })
}
