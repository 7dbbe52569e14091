import { Download, History } from 'lucide-react'
import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { SessionFilters } from '@/components/sessions/session-filters'
import { SessionTable } from '@/components/sessions/session-table'
import { hrefOf } from '@/components/sessions/session-words'
import { buttonClasses } from '@/components/ui/button'
import { LinkButton } from '@/components/ui/link-button'
import { EmptyState } from '@/components/ui/status'
import { type Actor, requirePageActor } from '@/lib/auth'
import { ListChatSessions } from '@/lib/contracts/sessions'
import { listChatSessions, listSessionUsers } from '@/lib/sessions'

export const metadata: Metadata = { title: 'Sessions' }

type Props = { searchParams: Promise<Record<string, string | string[] | undefined>> }

const shownAtOnce = '50'

/** What the address asks for; what makes no sense in it asks for nothing. */
function readQuery(params: Awaited<Props['searchParams']>): ListChatSessions {
  const { user, day, cursor } = params
  const given = { ...(user && { user }), ...(day && { day }), ...(cursor && { cursor }) }
  const read = ListChatSessions.safeParse({ ...given, limit: shownAtOnce })
  return read.success ? read.data : ListChatSessions.parse({ limit: shownAtOnce })
}

export default async function SessionsPage({ searchParams }: Props) {
  const actor = await requirePageActor('/sessions')
  const query = readQuery(await searchParams)
  return (
    <Page
      title="Sessions"
      lead="From opening the chat to leaving it: how long it lasted, and what was said to models meanwhile."
      actions={actor.role === 'admin' && query.day ? <DayDownload day={query.day} /> : null}
    >
      <Part label="the sessions" skeleton={<RowsSkeleton rows={8} />}>
        <Sessions actor={actor} query={query} />
      </Part>
    </Page>
  )
}

function DayDownload({ day }: { day: string }) {
  return (
    <a
      href={`/api/sessions/log?day=${day}`}
      download
      className={buttonClasses()}
      title="The log of this day as this server wrote it"
    >
      <Download size={16} aria-hidden />
      Download day
    </a>
  )
}

async function Sessions({ actor, query }: { actor: Actor; query: ListChatSessions }) {
  const isAdmin = actor.role === 'admin'
  const [{ items, next_cursor }, people] = await Promise.all([
    listChatSessions(actor, query),
    isAdmin ? listSessionUsers() : null,
  ])
  const filter = { user: query.user ?? '', day: query.day ?? '' }
  const isFiltered = filter.user !== '' || filter.day !== ''
  return (
    <div className="flex flex-col gap-4">
      {items.length > 0 || isFiltered ? <SessionFilters filter={filter} people={people} /> : null}
      {items.length > 0 ? (
        <SessionTable sessions={items} showsPeople={isAdmin} />
      ) : (
        <Nothing isFiltered={isFiltered} />
      )}
      <nav aria-label="Pages of sessions" className="flex justify-end gap-2">
        {query.cursor ? <LinkButton href={hrefOf(filter)}>Newest</LinkButton> : null}
        {next_cursor ? <LinkButton href={hrefOf(filter, next_cursor)}>Older</LinkButton> : null}
      </nav>
    </div>
  )
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  const icon = <History size={24} aria-hidden />
  if (isFiltered) {
    return (
      <EmptyState
        icon={icon}
        title="No session fits these filters"
        action={<LinkButton href="/sessions">Show all</LinkButton>}
      >
        Days are those of the server’s clock.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      icon={icon}
      title="No sessions yet"
      action={<LinkButton href="/chat">Open the chat</LinkButton>}
    >
      One begins when you open the chat, or when a program says so.
    </EmptyState>
  )
}
