import type { ReactNode } from 'react'
import { ConversationFeed } from '@/components/chat/conversation-feed'
import { ConversationList } from '@/components/chat/conversation-list'
import { Shell } from '@/components/portal/shell'
import { findPageActor } from '@/lib/auth'
import { listConversations } from '@/lib/chat'
import { listLaunchableAgents } from '@/lib/projects'

export default async function PortalLayout({ children }: { children: ReactNode }) {
  const actor = await findPageActor()
  // Each page sends a visitor who is not signed in away by itself, since it knows where to come back to.
  if (!actor) return children
  const [agents, conversations] = await Promise.all([
    listLaunchableAgents(actor),
    listConversations(actor, { limit: 50 }),
  ])
  return (
    <>
      <ConversationFeed userId={actor.userId} />
      <Shell
        user={{ email: actor.email, name: actor.name, role: actor.role }}
        agents={agents}
        conversations={<ConversationList initial={conversations} />}
      >
        {children}
      </Shell>
    </>
  )
}
