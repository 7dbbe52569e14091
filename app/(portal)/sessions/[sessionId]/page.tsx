import { Download } from 'lucide-react'
import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { SessionFacts } from '@/components/sessions/session-facts'
import { buttonClasses } from '@/components/ui/button'
import { requirePageActor } from '@/lib/auth'
import { getChatSession } from '@/lib/sessions'
import { orNotFound } from '../../or-not-found'

export const metadata: Metadata = { title: 'Session' }

type Props = { params: Promise<{ sessionId: string }> }

export default async function SessionPage({ params }: Props) {
  const { sessionId } = await params
  const actor = await requirePageActor(`/sessions/${sessionId}`)
  const session = await orNotFound(getChatSession(actor, sessionId))
  return (
    <Page
      title={session.session_id}
      up={{ href: '/sessions', label: 'Sessions' }}
      actions={
        <a
          href={`/api/sessions/${session.session_id}/log`}
          download
          className={buttonClasses()}
          title="The lines of this session in the log"
        >
          <Download size={16} aria-hidden />
          <span className="max-sm:sr-only">Download log</span>
        </a>
      }
    >
      <SessionFacts session={session} />
    </Page>
  )
}
