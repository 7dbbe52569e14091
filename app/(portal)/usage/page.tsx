import { ChartColumn, Download } from 'lucide-react'
import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { buttonClasses } from '@/components/ui/button'
import { LinkButton } from '@/components/ui/link-button'
import { EmptyState } from '@/components/ui/status'
import { UsageFilters } from '@/components/usage/usage-filters'
import { UsagePlot } from '@/components/usage/usage-plot'
import { toPlot } from '@/components/usage/usage-series'
import { UsageTable } from '@/components/usage/usage-table'
import { UsageTotals } from '@/components/usage/usage-totals'
import { hrefOf, type UsageView, usualView } from '@/components/usage/usage-view'
import { groupWords } from '@/components/usage/usage-words'
import { type Actor, requirePageActor } from '@/lib/auth'
import type { UsageDaySum, UsageQuery } from '@/lib/contracts/usage'
import { listUsageByDay, summarizeUsage } from '@/lib/usage'
import { readView } from './read-view'

export const metadata: Metadata = { title: 'Usage' }

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> }

export default async function UsagePage({ searchParams }: Props) {
  const actor = await requirePageActor('/usage')
  const { view, query } = readView(await searchParams)
  const isAdmin = actor.role === 'admin'
  return (
    <Page
      title="Usage"
      lead={`${isAdmin ? 'What everybody' : 'What you'} asked of models, here and through the API, and what it cost by list prices. Days are UTC.`}
      actions={
        <a
          href={`/api/openai/usage/export?${new URLSearchParams(query)}`}
          download
          className={buttonClasses()}
          title="What is shown, day by day, as a table for spreadsheets"
        >
          <Download size={16} aria-hidden />
          Export CSV
        </a>
      }
    >
      <div className="flex flex-col gap-6">
        <UsageFilters view={view} isAdmin={isAdmin} />
        <Part label="the usage" skeleton={<RowsSkeleton rows={6} />}>
          <Use actor={actor} view={view} query={query} />
        </Part>
      </div>
    </Page>
  )
}

type UseProps = { actor: Actor; view: UsageView; query: UsageQuery }

async function Use({ actor, view, query }: UseProps) {
  const [summary, rows] = await Promise.all([summarizeUsage(actor, query), listUsageByDay(actor, query)])
  if (summary.totals.requests === 0) return <Nothing view={view} />
  const { by } = view
  const label =
    by === 'day'
      ? 'Usage by day'
      : `Usage by ${groupWords[by].replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())}`
  return (
    <div className="flex flex-col gap-8">
      <UsageTotals totals={summary.totals} />
      <UsagePlot plot={toPlot(summary, rows, by, view.measure)} measure={view.measure} />
      <UsageTable
        label={label}
        group={by}
        rows={by === 'day' ? summary.groups.toReversed() : summary.groups}
      />
      {by === 'day' ? null : <DayByDay label={label} group={by} rows={rows} />}
    </div>
  )
}

/** So many lines of days and groups are on the page; the export has all. */
const maxLines = 400

function DayByDay({ label, group, rows }: { label: string; group: UsageView['by']; rows: UsageDaySum[] }) {
  const shown = rows.slice(-maxLines).reverse()
  return (
    <details className="group/days">
      <summary className="cursor-pointer rounded-control py-2 font-medium text-ui">Day by day</summary>
      {rows.length > shown.length ? (
        <p className="text-ink-soft text-ui">
          The last {shown.length} lines. The export has all {rows.length}.
        </p>
      ) : null}
      <UsageTable label={`${label}, day by day`} group={group} rows={shown} isByDay />
    </details>
  )
}

function Nothing({ view }: { view: UsageView }) {
  const icon = <ChartColumn size={24} aria-hidden />
  if (view.period === 'year') {
    return (
      <EmptyState
        icon={icon}
        title="Nothing was used yet"
        action={<LinkButton href="/chat">New chat</LinkButton>}
      >
        Every answer is counted here, with its tokens and what it cost.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      icon={icon}
      title="Nothing was used in this time"
      action={
        <LinkButton href={hrefOf({ ...usualView, by: view.by, period: 'year' })}>
          Show the last 365 days
        </LinkButton>
      }
    >
      Every answer is counted here, with its tokens and what it cost.
    </EmptyState>
  )
}
