'use client'

import Link from 'next/link'
import { useNewest } from '@/components/chat/conversation-store'
import { Section } from '@/components/portal/page'
import { Time } from '@/components/ui/time'
import type { ConversationRecord } from '@/lib/contracts/conversations'

type RecentProps = { conversations: ConversationRecord[]; agentNames: Record<string, string> }

/** So many are there at a glance. */
const shownCount = 8

/** The last conversations, to go on with, as they are now. */
export function Recent({ conversations, agentNames }: RecentProps) {
  const newest = useNewest(conversations, shownCount)
  return (
    <Section title="Recent conversations">
      {newest.length === 0 ? (
        <p className="border-t py-4 text-ink-soft text-ui">None yet. Launch something above and say hello.</p>
      ) : (
        <ul className="border-t">
          {newest.map(({ id, agent_id, title, running, last_activity_at }) => (
            <li
              key={id}
              className="relative flex h-12 items-center gap-4 border-b transition-colors hover:bg-surface/60"
            >
              <Link
                href={`/chat/${agent_id}/${id}`}
                className="min-w-0 flex-1 truncate text-ui after:absolute after:inset-0"
              >
                {title}
              </Link>
              <span className="max-w-40 shrink-0 truncate text-ink-soft text-label max-sm:hidden">
                {agentNames[agent_id]}
              </span>
              <span className="w-20 shrink-0 text-right text-ink-soft text-label">
                {running ? 'Answering…' : <Time at={last_activity_at} />}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}
