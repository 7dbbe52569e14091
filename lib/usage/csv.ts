import type { Actor } from '../auth'
import type { UsageDaySum, UsageQuery } from '../contracts/usage'
import { guardCell, writeCsvLines } from '../csv'
import { listUsageByDay } from './sums'

const sums = [
  'requests',
  'input_tokens',
  'cached_tokens',
  'output_tokens',
  'reasoning_tokens',
  'total_tokens',
  'cost_usd',
  'unpriced_requests',
  'errors',
] as const

/** So many lines are put into one piece. */
const batchSize = 500

/**
 * What was used on each day by each group, as pieces of CSV (RFC 4180) that no spreadsheet runs. Throws invalid_input
 * where the period is too long or holds too much.
 */
export async function exportUsage(actor: Actor, query: UsageQuery): Promise<AsyncGenerator<string>> {
  const rows = await listUsageByDay(actor, query)
  const isGrouped = query.group_by !== 'day'
  const names = isGrouped ? [query.group_by, `${query.group_by}_name`] : []
  return write(rows, ['day', ...names, ...sums], isGrouped)
}

async function* write(rows: UsageDaySum[], columns: string[], isGrouped: boolean): AsyncGenerator<string> {
  yield writeCsvLines([columns])
  for (let start = 0; start < rows.length; start += batchSize)
    yield writeCsvLines(rows.slice(start, start + batchSize).map((row) => toCells(row, isGrouped)))
}

function toCells(row: UsageDaySum, isGrouped: boolean): string[] {
  const names = isGrouped ? [row.key ?? '', row.label ?? ''].map(guardCell) : []
  return [row.day, ...names, ...sums.map((sum) => toDecimal(row[sum]))]
}

/** A number without an exponent, which not every spreadsheet reads. */
function toDecimal(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(12).replace(/0+$/, '')
}
