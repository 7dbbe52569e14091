import type { Actor } from '../auth'
import type {
  UsageDaySum,
  UsageGroup,
  UsageGroupSum,
  UsageQuery,
  UsageSum,
  UsageSummary,
} from '../contracts/usage'
import { db } from '../db'
import { AppError } from '../errors'
import { nameGroups } from './labels'
import { type Period, readPeriod } from './period'

/** So many groups are told apart; the totals are of all. */
const maxGroups = 1000
/** So many rows of days and groups. */
const maxDayRows = 20_000

type Scope = Pick<Actor, 'userId' | 'role' | 'boundTo'>
type SumRow = Omit<UsageSum, 'cost_usd'> & { cost_usd: string }

/** What was used in a period, in all and by group. A member sees own use, an admin all; a bound key its project. */
export async function summarizeUsage(actor: Actor, query: UsageQuery): Promise<UsageSummary> {
  const period = readPeriod(query)
  const [[totals], groups] = await Promise.all([
    readSums<SumRow>(actor, period, { keys: 'NULL::text AS key', by: '()', rest: '' }),
    readSums<SumRow & { key: string | null }>(actor, period, groupedBy(query.group_by)),
  ])
  return {
    from: period.from.toISOString(),
    to: period.to.toISOString(),
    time_zone: 'UTC',
    group_by: query.group_by,
    totals: totals ? toSum(totals) : nothing,
    groups: await nameGroups(actor, query.group_by, groups.map(toGroup)),
  }
}

/**
 * What was used on each day by each group, days and then keys in order; days without use are left out. Throws
 * invalid_input where there is too much for one table.
 */
export async function listUsageByDay(actor: Actor, query: UsageQuery): Promise<UsageDaySum[]> {
  const { group_by: group } = query
  const day = columns.day
  const how =
    group === 'day'
      ? { keys: `${day} AS day, NULL::text AS key`, by: '1', rest: 'ORDER BY 1' }
      : { keys: `${day} AS day, ${columns[group]} AS key`, by: '1, 2', rest: 'ORDER BY 1, 2' }
  const rows = await readSums<SumRow & { day: string; key: string | null }>(actor, readPeriod(query), {
    ...how,
    rest: `${how.rest} LIMIT ${maxDayRows + 1}`,
  })
  if (rows.length > maxDayRows) throw tooMuch()
  const sums = rows.map((row) => ({ day: row.day, ...toGroup(row) }))
  return nameGroups(actor, group, sums)
}

function tooMuch(): AppError {
  const message = 'This is too much for one table: choose a shorter time.'
  return new AppError('invalid_input', message, { issues: [{ path: 'from', message }] })
}

/** What rows are put together by: columns of ours, never a caller's word. */
const columns: Record<UsageGroup, string> = {
  day: `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  model: 'model',
  project: 'project_id::text',
  user: 'user_id::text',
  key: 'key_id::text',
}

type Grouping = { keys: string; by: string; rest: string }

function groupedBy(group: UsageGroup): Grouping {
  const order = group === 'day' ? 'ORDER BY 1' : 'ORDER BY total_tokens DESC, requests DESC, 1'
  return { keys: `${columns[group]} AS key`, by: '1', rest: `${order} LIMIT ${maxGroups}` }
}

/** Sums by the grouping; the numbers that may leave the range of exact ones are money, which comes as text. */
function readSums<Row>({ userId, role, boundTo }: Scope, period: Period, how: Grouping): Promise<Row[]> {
  const text = `
    SELECT ${how.keys}, count(*)::int AS requests,
      coalesce(sum(input_tokens), 0)::float8 AS input_tokens,
      coalesce(sum(cached_tokens), 0)::float8 AS cached_tokens,
      coalesce(sum(output_tokens), 0)::float8 AS output_tokens,
      coalesce(sum(reasoning_tokens), 0)::float8 AS reasoning_tokens,
      coalesce(sum(input_tokens::bigint + output_tokens), 0)::float8 AS total_tokens,
      coalesce(sum(cost_usd), 0)::text AS cost_usd,
      (count(*) FILTER (WHERE cost_usd IS NULL))::int AS unpriced_requests,
      (count(*) FILTER (WHERE outcome = 'failed'))::int AS errors
    FROM usage_entries
    WHERE at >= $1::timestamptz AND at < $2::timestamptz
      AND ($3::uuid IS NULL OR user_id = $3::uuid) AND ($4::uuid IS NULL OR project_id = $4::uuid)
    GROUP BY ${how.by} ${how.rest}`
  const seen = role === 'admin' ? null : userId
  return db().$queryRawUnsafe<Row[]>(text, period.from, period.to, seen, boundTo)
}

const nothing: UsageSum = {
  requests: 0,
  input_tokens: 0,
  cached_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  total_tokens: 0,
  cost_usd: 0,
  unpriced_requests: 0,
  errors: 0,
}

function toSum(row: SumRow): UsageSum {
  const { requests, input_tokens, cached_tokens, output_tokens, reasoning_tokens, total_tokens } = row
  const { cost_usd, unpriced_requests, errors } = row
  const tokens = { input_tokens, cached_tokens, output_tokens, reasoning_tokens, total_tokens }
  return { requests, ...tokens, cost_usd: Number(cost_usd), unpriced_requests, errors }
}

function toGroup(row: SumRow & { key: string | null }): UsageGroupSum {
  return { key: row.key, label: null, ...toSum(row) }
}
