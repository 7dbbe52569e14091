import type { UsageGroup, UsageSum } from '@/lib/contracts/usage'

export const periods = ['today', 'week', 'month', 'quarter', 'year', 'between'] as const
export type Period = (typeof periods)[number]
export const measures = ['cost', 'tokens', 'requests'] as const
export type Measure = (typeof measures)[number]
export const groups: UsageGroup[] = ['day', 'model', 'project', 'user', 'key']

/** What of the usage is looked at, as the address of the page has it. */
export type UsageView = {
  period: Period
  /** Days in UTC, of the period `between`. */
  from: string
  to: string
  by: UsageGroup
  measure: Measure
}

export const usualView: UsageView = { period: 'month', from: '', to: '', by: 'day', measure: 'cost' }

/** Where this view is. */
export function hrefOf(view: UsageView): string {
  const { from, to, ...rest } = view
  const fields = Object.entries({ ...rest, ...(view.period === 'between' && { from, to }) })
  const given = fields.filter(([name, value]) => value !== '' && value !== usualView[name as keyof UsageView])
  return given.length === 0 ? '/usage' : `/usage?${new URLSearchParams(given)}`
}

/** How much of a measure. */
export function measureOf(sum: UsageSum, measure: Measure): number {
  if (measure === 'cost') return sum.cost_usd
  return measure === 'tokens' ? sum.total_tokens : sum.requests
}
