import { MessageSquare } from 'lucide-react'
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { AgentForm } from '@/components/projects/agent-form'
import { PromptList } from '@/components/projects/prompt-list'
import { VersionList } from '@/components/projects/version-list'
import { LinkButton } from '@/components/ui/link-button'
import { type Actor, requirePageActor } from '@/lib/auth'
import type { AgentRecord } from '@/lib/contracts/projects'
import { getAgent, getProject, listAgentVersions, listPrompts } from '@/lib/projects'
import { orNotFound } from '../../../../or-not-found'

export const metadata: Metadata = { title: 'Agent' }

type Props = { params: Promise<{ projectId: string; agentId: string }> }

export default async function AgentPage({ params }: Props) {
  const { projectId, agentId } = await params
  const actor = await requirePageActor(`/projects/${projectId}/agents/${agentId}`)
  const agent = await orNotFound(getAgent(actor, agentId))
  if (agent.project_id !== projectId) notFound()
  const project = await orNotFound(getProject(actor, projectId))
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
      <Part label="the prompts" skeleton={<RowsSkeleton rows={2} />}>
        <Prompts actor={actor} agent={agent} readOnly={readOnly} />
      </Part>
      <Part label="the versions" skeleton={<RowsSkeleton rows={2} />}>
        <Versions actor={actor} agent={agent} readOnly={readOnly} />
      </Part>
    </Page>
  )
}

type PartProps = { actor: Actor; agent: AgentRecord; readOnly: boolean }

async function Prompts({ actor, agent, readOnly }: PartProps) {
  const prompts = await listPrompts(actor, agent.id, { limit: 50 })
  return <PromptList agentId={agent.id} first={prompts} readOnly={readOnly} />
}

async function Versions({ actor, agent, readOnly }: PartProps) {
  const versions = await listAgentVersions(actor, agent.id, { limit: 20 })
  return <VersionList agentId={agent.id} current={agent.version} first={versions} readOnly={readOnly} />
}
