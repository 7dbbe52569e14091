import Link from 'next/link'
import { StatusDot } from '@/components/ui/status'
import { Table, Td, Th } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import type { ChatSessionRecord } from '@/lib/contracts/sessions'
import { sayDuration, sayFigure, sayPerson } from './session-words'

type TableProps = { sessions: ChatSessionRecord[]; showsPeople: boolean }

/** Sessions by when they began, how long they lasted, and what was said in them. */
export function SessionTable({ sessions, showsPeople }: TableProps) {
  return (
    <Table label="Sessions">
      <thead>
        <tr>
          <Th>Session</Th>
          {showsPeople ? <Th className="max-md:hidden">Person</Th> : null}
          <Th className="max-sm:hidden">Began</Th>
          <Th>Lasted</Th>
          <Th className="text-right max-sm:hidden">Messages</Th>
          <Th className="text-right max-sm:hidden">Tokens</Th>
          <Th className="pr-0 text-right max-md:hidden">Errors</Th>
        </tr>
      </thead>
      <tbody>
        {sessions.map((session) => (
          <SessionRow key={session.session_id} session={session} showsPeople={showsPeople} />
        ))}
      </tbody>
    </Table>
  )
}

function SessionRow({ session, showsPeople }: { session: ChatSessionRecord; showsPeople: boolean }) {
  const { session_id, started_at, metrics } = session
  return (
    <tr className="group relative transition-colors hover:bg-surface/60">
      <Td className="max-sm:py-2">
        <div className="flex min-w-0 flex-col">
          <Link
            href={`/sessions/${session_id}`}
            className="wrap-anywhere font-mono text-label after:absolute after:inset-0 sm:whitespace-nowrap"
          >
            {session_id}
          </Link>
          {showsPeople ? (
            <span className="md:hidden">
              <Person session={session} />
            </span>
          ) : null}
          <span className="text-ink-soft text-label sm:hidden">
            <Time at={started_at} />
          </span>
        </div>
      </Td>
      {showsPeople ? (
        <Td className="max-md:hidden">
          <Person session={session} />
        </Td>
      ) : null}
      <Td className="text-ink-soft max-sm:hidden">
        <Time at={started_at} />
      </Td>
      <Td className="whitespace-nowrap">
        <SessionLength session={session} />
      </Td>
      <Td className="text-right max-sm:hidden">{sayFigure(metrics, 'messages')}</Td>
      <Td className="text-right max-sm:hidden">{sayFigure(metrics, 'total_tokens')}</Td>
      <Td className="pr-0 text-right max-md:hidden">{sayFigure(metrics, 'errors')}</Td>
    </tr>
  )
}

function Person({ session }: { session: ChatSessionRecord }) {
  const { name, claimed } = sayPerson(session)
  return (
    <span className="wrap-anywhere">
      {name}
      {claimed === null ? null : <span className="text-ink-soft"> as “{claimed}”</span>}
    </span>
  )
}

/** How long a session lasted, or that it goes on. */
export function SessionLength({ session }: { session: ChatSessionRecord }) {
  if (session.duration_seconds === null) return <StatusDot tone="good" label="Open" />
  return (
    <span>
      {sayDuration(session.duration_seconds)}
      {session.ended_by === 'silence' ? <span className="text-ink-soft"> · fell silent</span> : null}
    </span>
  )
}
