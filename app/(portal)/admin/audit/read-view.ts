import { type AuditView, type Period, periods } from '@/components/admin/audit-view'
import { AuditFilter, AuditQuery } from '@/lib/contracts/audit'

type Given = Record<string, string | string[] | undefined>

const dayMs = 86_400_000
const daysOf: Partial<Record<Period, number>> = { day: 1, week: 7, month: 30 }

/** What the address asks to see, with what it asks of the audit; what cannot be read in it asks for nothing. */
export function readView(given: Given): { view: AuditView; query: AuditQuery; filter: AuditFilter } {
  const text = (name: string) => (typeof given[name] === 'string' ? given[name].trim() : '')
  const period = periods.find((known) => known === text('period')) ?? 'any'
  const view = { ...pick(text), period }
  const filter = AuditFilter.safeParse(toFilter(view))
  if (!filter.success) return readView({})
  const query = AuditQuery.safeParse({ ...filter.data, cursor: text('cursor') || undefined })
  return { view, filter: filter.data, query: query.data ?? AuditQuery.parse(filter.data) }
}

function pick(text: (name: string) => string): Omit<AuditView, 'period'> {
  return {
    action: text('action'),
    actor: text('actor'),
    target: text('target'),
    from: text('from'),
    to: text('to'),
  }
}

function toFilter({ action, actor, target, period, from, to }: AuditView): object {
  const days = daysOf[period]
  const since = days === undefined ? '' : new Date(Date.now() - days * dayMs).toISOString()
  const span = period === 'between' ? { from, to } : { from: since, to: '' }
  const all = { action, actor, target, ...span }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}
