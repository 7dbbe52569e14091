import { Download, ScrollText } from 'lucide-react'
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { AuditFilters } from '@/components/admin/audit-filters'
import { AuditTable } from '@/components/admin/audit-table'
import { type AuditView, hrefOf, isFiltered } from '@/components/admin/audit-view'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { buttonClasses } from '@/components/ui/button'
import { LinkButton } from '@/components/ui/link-button'
import { EmptyState } from '@/components/ui/status'
import { listAudit } from '@/lib/audit'
import { type Actor, requirePageActor } from '@/lib/auth'
import type { AuditQuery } from '@/lib/contracts/audit'
import { readView } from './read-view'

export const metadata: Metadata = { title: 'Audit' }

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> }

export default async function AuditPage({ searchParams }: Props) {
  const actor = await requirePageActor('/admin/audit')
  if (actor.role !== 'admin') notFound()
  const { view, query, filter } = readView(await searchParams)
  return (
    <Page
      title="Audit"
      lead="Who did what with keys, accounts and projects, and from where. Nothing here can be changed or deleted."
      actions={
        <a
          href={`/api/audit/export?${new URLSearchParams(filter)}`}
          download
          className={buttonClasses()}
          title="What is shown, with all its pages, as a table for spreadsheets"
        >
          <Download size={16} aria-hidden />
          Export CSV
        </a>
      }
    >
      <Part label="the audit" skeleton={<RowsSkeleton rows={8} />}>
        <Records actor={actor} view={view} query={query} />
      </Part>
    </Page>
  )
}

async function Records({ actor, view, query }: { actor: Actor; view: AuditView; query: AuditQuery }) {
  const { items, next_cursor } = await listAudit(actor, query)
  const people = new Set(items.flatMap((entry) => entry.actor?.email ?? []))
  return (
    <div className="flex flex-col gap-4">
      <AuditFilters view={view} people={[...people]} />
      {items.length === 0 ? <Nothing view={view} /> : <AuditTable entries={items} view={view} />}
      <nav aria-label="Pages of the audit" className="flex justify-end gap-2">
        {query.cursor ? <LinkButton href={hrefOf(view)}>Newest</LinkButton> : null}
        {next_cursor ? <LinkButton href={hrefOf(view, next_cursor)}>Older</LinkButton> : null}
      </nav>
    </div>
  )
}

function Nothing({ view }: { view: AuditView }) {
  const icon = <ScrollText size={24} aria-hidden />
  if (!isFiltered(view)) {
    return (
      <EmptyState icon={icon} title="Nothing is written down yet">
        From now on, every sign-in and every change of keys, members and projects is.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      icon={icon}
      title="Nothing fits these filters"
      action={<LinkButton href="/admin/audit">Show everything</LinkButton>}
    >
      A person is found by the whole email of the account.
    </EmptyState>
  )
}
