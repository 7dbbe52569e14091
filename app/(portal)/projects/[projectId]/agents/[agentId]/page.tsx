import { MessageSquare } from 'lucide-react'
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { Page } from '@/components/portal/page'
import { AgentForm } from '@/components/projects/agent-form'
import { PromptList } from '@/components/projects/prompt-list'
import { VersionList } from '@/components/projects/version-list'
import { LinkButton } from '@/components/ui/button'
import { requirePageActor } from '@/lib/auth'
import { getAgent, getProject, listAgentVersions, listPrompts } from '@/lib/projects'
import { orNotFound } from '../../../../or-not-found'

export const metadata: Metadata = { title: 'Agent' }

type Props = { params: Promise<{ projectId: string; agentId: string }> }

export default async function AgentPage({ params }: Props) {
  const { projectId, agentId } = await params
  const actor = await requirePageActor(`/projects/${projectId}/agents/${agentId}`)
  const agent = await orNotFound(getAgent(actor, agentId))
  if (agent.project_id !== projectId) notFound()
  const [project, prompts, versions] = await Promise.all([
    getProject(actor, projectId),
    listPrompts(actor, agentId, { limit: 50 }),
    listAgentVersions(actor, agentId),
  ])
  const readOnly = project.role === 'viewer'
  return (
    <Page
      narrow
      title={agent.name}
      up={{ href: `/projects/${projectId}`, label: project.name }}
      actions={
        <LinkButton href={`/chat/${agentId}`} icon={<MessageSquare size={16} aria-hidden />}>
          Chat
        </LinkButton>
      }
    >
      <AgentForm projectId={projectId} agentId={agentId} settings={agent} readOnly={readOnly} />
      <PromptList agentId={agentId} first={prompts} readOnly={readOnly} />
      <VersionList agentId={agentId} current={agent.version} first={versions} readOnly={readOnly} />
    </Page>
  )
}
