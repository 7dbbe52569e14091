import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import { ChatPage } from '@/components/chat/chat-page'
import { type Actor, requirePageActor } from '@/lib/auth'
import { getConversationOpening } from '@/lib/chat'
import { ConversationParams } from '@/lib/contracts/conversations'
import { AgentParams } from '@/lib/contracts/projects'
import { getAgent, listLaunchableAgents, listPrompts } from '@/lib/projects'
import { orNotFound } from '../../../or-not-found'

export const metadata: Metadata = { title: 'Chat' }

type Props = { params: Promise<{ agentId: string; conversationId?: string[] }> }

async function loadOpening(actor: Actor, agentId: string, conversationId: string | undefined) {
  if (conversationId === undefined) return null
  if (!ConversationParams.safeParse({ conversationId }).success) notFound()
  const view = await orNotFound(getConversationOpening(actor, conversationId))
  if (view.conversation.agent_id !== agentId)
    redirect(`/chat/${view.conversation.agent_id}/${conversationId}`)
  return { ...view, loadedAt: Date.now() }
}

export default async function AgentChatPage({ params }: Props) {
  const { agentId, conversationId: [conversationId, ...rest] = [] } = await params
  const actor = await requirePageActor(`/chat/${agentId}${conversationId ? `/${conversationId}` : ''}`)
  if (rest.length > 0 || !AgentParams.safeParse({ agentId }).success) notFound()
  const [agent, agents, prompts, view] = await Promise.all([
    orNotFound(getAgent(actor, agentId)),
    listLaunchableAgents(actor),
    orNotFound(listPrompts(actor, agentId)),
    loadOpening(actor, agentId, conversationId),
  ])
  // What the page does not show stays on the server.
  const choices = agents.map(({ id, name, project_name }) => ({ id, name, project_name }))
  const shown = { ...agent, system_prompt: '', tools: [] }
  return <ChatPage agent={shown} agents={choices} prompts={prompts.items} view={view} />
}
