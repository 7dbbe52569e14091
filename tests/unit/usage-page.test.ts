import { expect, test } from 'vitest'
import { readView } from '../../app/(portal)/usage/read-view'
import { toPlot } from '../../components/usage/usage-series'
import { hrefOf, usualView } from '../../components/usage/usage-view'
import { costWords, inDollars, nameOf } from '../../components/usage/usage-words'
import type { UsageDaySum, UsageGroupSum } from '../../lib/contracts/usage'

const now = Date.parse('2026-03-15T10:00:00Z')

const sum = (key: string | null, requests: number): UsageGroupSum => ({
  key,
  label: key,
  requests,
  input_tokens: 0,
  cached_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  total_tokens: 0,
  cost_usd: 0,
  unpriced_requests: 0,
  errors: 0,
})
const onDay = (day: string, key: string | null, requests: number): UsageDaySum => ({
  day,
  ...sum(key, requests),
})
const use = (groups: UsageGroupSum[] = []) => ({
  from: '2026-03-01T00:00:00.000Z',
  to: '2026-03-04T00:00:00.000Z',
  groups,
})

test('every day of the period is in the plot, also those without use, and none besides', () => {
  const { series, days } = toPlot(use(), [onDay('2026-03-02', '2026-03-02', 4)], 'day', 'requests')
  expect(series).toHaveLength(1)
  expect(days).toEqual([
    { day: '2026-03-01', values: [0] },
    { day: '2026-03-02', values: [4] },
    { day: '2026-03-03', values: [0] },
  ])
})

test('the largest groups have a colour of their own, the others are one, and nothing is lost', () => {
  const groups = Array.from({ length: 9 }, (_, index) => sum(`m${index}`, index + 1))
  const rows = groups.map(({ key, requests }) => onDay('2026-03-01', key, requests))
  const { series, days } = toPlot(use(groups), rows, 'model', 'requests')
  expect(series.map(({ name }) => name)).toEqual(['m8', 'm7', 'm6', 'm5', 'm4', '4 others'])
  expect(days[0]?.values).toEqual([9, 8, 7, 6, 5, 10])
  const six = toPlot(use(groups.slice(0, 6)), rows.slice(0, 6), 'model', 'requests')
  expect(six.series.map(({ name }) => name)).toEqual(['m5', 'm4', 'm3', 'm2', 'm1', 'm0'])
})

test('two groups of one name are two', () => {
  const groups = [sum('a', 1), sum('b', 2)].map((group) => ({ ...group, label: 'Same' }))
  const rows = [onDay('2026-03-01', 'a', 1), onDay('2026-03-01', 'b', 2)]
  const { series, days } = toPlot(use(groups), rows, 'project', 'requests')
  expect(series.map(({ name }) => name)).toEqual(['Same', 'Same'])
  expect(new Set(series.map(({ id }) => id)).size).toBe(2)
  expect(days[0]?.values).toEqual([2, 1])
})

test('the address says what is shown; what cannot be read there shows the last thirty days', () => {
  expect(readView({}, now)).toEqual({
    view: usualView,
    query: { from: '2026-02-14', to: '2026-03-15', group_by: 'day' },
  })
  const view = {
    period: 'between',
    by: 'model',
    measure: 'tokens',
    from: '2026-01-01',
    to: '2026-01-31',
  } as const
  const again = Object.fromEntries(new URL(hrefOf(view), 'http://x').searchParams)
  expect(readView(again, now)).toEqual({
    view,
    query: { from: '2026-01-01', to: '2026-01-31', group_by: 'model' },
  })
  for (const bad of [
    { period: 'ever', by: 'x', measure: '__proto__' },
    { period: 'between', from: '2026-02-01', to: '2026-01-01' },
    { period: 'between', from: '2020-01-01', to: '2026-01-01' },
    { period: 'between', from: 'x' },
    { period: 'between' },
    { period: ['week', 'month'] },
  ])
    expect([bad, readView(bad, now).query]).toEqual([bad, readView({}, now).query])
  expect(readView({ period: 'today' }, now).query).toMatchObject({ from: '2026-03-15', to: '2026-03-15' })
})

test('an unknown cost is told as such, and never as nothing', () => {
  expect(costWords({ ...sum('x', 2), cost_usd: 0.5 })).toBe('$0.50')
  expect(costWords({ ...sum('x', 2), cost_usd: 0.5, unpriced_requests: 1 })).toBe('$0.50 +')
  expect(costWords({ ...sum('x', 2), unpriced_requests: 2 })).toBe('Unknown')
  expect([inDollars(0), inDollars(0.000123), inDollars(1234.5)]).toEqual(['$0.00', '$0.00012', '$1,234.50'])
})

test('groups without a name say what they are', () => {
  expect(nameOf('project', { key: null, label: null })).toBe('No project')
  expect(nameOf('key', { key: '018f', label: null })).toBe('An API key that is gone')
  expect(nameOf('model', { key: 'gpt-5', label: 'gpt-5' })).toBe('gpt-5')
})
