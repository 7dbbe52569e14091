import { redirect } from 'next/navigation'
import { requirePageActor } from '@/lib/auth'
import { listConversations } from '@/lib/chat'
import { ensureDefaultAgent, listLaunchableAgents } from '@/lib/projects'

/** A new chat with the agent that was used last, else the first one; who has none gets one. */
export default async function NewChatPage() {
  const actor = await requirePageActor('/chat')
  const [{ items }, agents] = await Promise.all([
    listConversations(actor, { limit: 1 }),
    listLaunchableAgents(actor),
  ])
  const last =
    agents.find(({ id }) => id === items[0]?.agent_id) ?? agents[0] ?? (await ensureDefaultAgent(actor))
  redirect(`/chat/${last.id}`)
}
