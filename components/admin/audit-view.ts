export const periods = ['any', 'day', 'week', 'month', 'between'] as const
export type Period = (typeof periods)[number]

/** What of the audit is looked at, as the address of the page has it; empty where all is. */
export type AuditView = {
  action: string
  actor: string
  target: string
  period: Period
  /** Days in UTC, of the period `between`. */
  from: string
  to: string
}

/** Where this view is. */
export function hrefOf(view: AuditView, cursor?: string): string {
  const { period, from, to, ...rest } = view
  const fields = { ...rest, period: period === 'any' ? '' : period, cursor: cursor ?? '' }
  const days = period === 'between' ? { from, to } : {}
  const given = Object.entries({ ...fields, ...days }).filter(([, value]) => value !== '')
  return given.length === 0 ? '/admin/audit' : `/admin/audit?${new URLSearchParams(given)}`
}

/** Whether this view leaves anything out. */
export function isFiltered(view: AuditView): boolean {
  return hrefOf(view) !== '/admin/audit'
}
