import type { UsageGroup, UsageSum } from '@/lib/contracts/usage'
import type { Measure, Period } from './usage-view'

export const periodWords: Record<Period, string> = {
  today: 'Today',
  week: 'Last 7 days',
  month: 'Last 30 days',
  quarter: 'Last 90 days',
  year: 'Last 365 days',
  between: 'Between two days',
}
export const measureWords: Record<Measure, string> = { cost: 'Cost', tokens: 'Tokens', requests: 'Requests' }
export const groupWords: Record<UsageGroup, string> = {
  day: 'Day',
  model: 'Model',
  project: 'Project',
  user: 'Person',
  key: 'API key',
}

const noneWords: Partial<Record<UsageGroup, string>> = {
  project: 'No project',
  user: 'Nobody',
  key: 'Without an API key',
}
const goneWords: Partial<Record<UsageGroup, string>> = {
  project: 'A project that is gone, or not yours',
  user: 'An account that is gone',
  key: 'An API key that is gone',
}

/** What a group is called. */
export function nameOf(
  group: UsageGroup,
  { key, label }: { key: string | null; label: string | null },
): string {
  if (key === null) return noneWords[group] ?? 'Unknown'
  if (label !== null && label !== '') return label
  return goneWords[group] ?? key
}

const whole = new Intl.NumberFormat('en')
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: 2 })
const cents = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  maximumSignificantDigits: 2,
})

/** A number with its thousands apart. */
export const inFull = (count: number): string => whole.format(count)

/** US dollars; less than a cent by its first two digits. */
export function inDollars(usd: number): string {
  return usd !== 0 && usd < 0.01 ? cents.format(usd) : dollars.format(usd)
}

/** What calls cost, as far as anybody knows. */
export function costWords({ cost_usd, requests, unpriced_requests }: UsageSum): string {
  if (unpriced_requests === 0) return inDollars(cost_usd)
  return unpriced_requests === requests ? 'Unknown' : `${inDollars(cost_usd)} +`
}

/** A value of the plot, in full. */
export function inWords(measure: Measure, value: number): string {
  return measure === 'cost' ? inDollars(value) : inFull(value)
}

/** A value beside the axis of the plot. */
export function onAxis(measure: Measure, value: number): string {
  if (measure === 'cost') return value >= 1000 ? `$${compact.format(value)}` : inDollars(value)
  return compact.format(value)
}

const dayFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const fullDay = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeZone: 'UTC' })
const timeOf = (day: string) => new Date(`${day}T00:00:00Z`)

/** A day as `Nov 21`. */
export const shortDay = (day: string): string => dayFormat.format(timeOf(day))
/** A day with its weekday and year. */
export const longDay = (day: string): string => fullDay.format(timeOf(day))
