import {
  groups,
  measures,
  type Period,
  periods,
  type UsageView,
  usualView,
} from '@/components/usage/usage-view'
import { UsageQuery } from '@/lib/contracts/usage'

type Given = Record<string, string | string[] | undefined>

const dayMs = 86_400_000
const daysOf: Partial<Record<Period, number>> = { today: 1, week: 7, month: 30, quarter: 90, year: 365 }
const longestDays = 400

/** What the address asks to see, with what it asks of the ledger; what cannot be read in it asks for the last thirty days. */
export function readView(given: Given, now = Date.now()): { view: UsageView; query: UsageQuery } {
  const text = (name: string) => (typeof given[name] === 'string' ? given[name].trim() : '')
  const pick = <T extends string>(all: readonly T[], name: string, usual: T) =>
    all.find((known) => known === text(name)) ?? usual
  const view: UsageView = {
    period: pick(periods, 'period', usualView.period),
    by: pick(groups, 'by', usualView.by),
    measure: pick(measures, 'measure', usualView.measure),
    from: text('from'),
    to: text('to'),
  }
  const query = UsageQuery.safeParse({ ...spanOf(view, now), group_by: view.by })
  if (query.success && isShort(query.data)) return { view, query: query.data }
  const { by, measure } = view
  return readView({ by, measure }, now)
}

function spanOf({ period, from, to }: UsageView, now: number): { from: string; to: string } {
  const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)
  const days = daysOf[period]
  if (days !== undefined) return { from: dayOf(now - (days - 1) * dayMs), to: dayOf(now) }
  return { from: from || to, to: to || from }
}

/** Days that come in the wrong order, or too far apart, are not asked for. */
function isShort({ from = '', to = '' }: UsageQuery): boolean {
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1
  return days >= 1 && days <= longestDays
}
