import type { UsageDaySum, UsageGroup, UsageSummary } from '@/lib/contracts/usage'
import { type Measure, measureOf } from './usage-view'
import { groupWords, nameOf } from './usage-words'

/** So many groups have a colour of their own; the rest are one. */
const maxSeries = 6

/** What one colour stands for; two may have one name. */
export type Series = { id: string; name: string }
/** One day of the plot: a value for each series, in their order. */
export type PlotDay = { day: string; values: number[] }
export type Plot = { series: Series[]; days: PlotDay[] }

type Use = Pick<UsageSummary, 'from' | 'to' | 'groups'>

/** What a plot over time shows: the largest groups, the others as one, and every day of the period, also those without use. */
export function toPlot(use: Use, rows: UsageDaySum[], group: UsageGroup, measure: Measure): Plot {
  const days = listDays(use)
  if (group === 'day') {
    const values = new Map(rows.map((row) => [row.day, measureOf(row, measure)]))
    return {
      series: [{ id: 'all', name: groupWords.day }],
      days: days.map((day) => ({ day, values: [values.get(day) ?? 0] })),
    }
  }
  const largest = [...use.groups].sort((one, other) => measureOf(other, measure) - measureOf(one, measure))
  const shown = largest.length > maxSeries ? largest.slice(0, maxSeries - 1) : largest
  const places = new Map(shown.map(({ key }, place) => [key, place]))
  const left = largest.length - shown.length
  const others = left === 0 ? [] : [{ id: 'others', name: `${left} others` }]
  const series = [
    ...shown.map((sum) => ({ id: `key ${sum.key ?? ''}`, name: nameOf(group, sum) })),
    ...others,
  ]
  const byDay = new Map(days.map((day) => [day, series.map(() => 0)]))
  for (const row of rows) {
    const values = byDay.get(row.day)
    const place = places.get(row.key) ?? series.length - 1
    if (values) values[place] = (values[place] ?? 0) + measureOf(row, measure)
  }
  return { series, days: days.map((day) => ({ day, values: byDay.get(day) ?? [] })) }
}

const dayMs = 86_400_000

/** The days that a period touches, in UTC. */
function listDays({ from, to }: Pick<Use, 'from' | 'to'>): string[] {
  const first = Math.floor(Date.parse(from) / dayMs)
  const last = Math.floor((Date.parse(to) - 1) / dayMs)
  return Array.from({ length: last - first + 1 }, (_, index) =>
    new Date((first + index) * dayMs).toISOString().slice(0, 10),
  )
}
