import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { AgentList } from '@/components/projects/agent-list'
import { MemberList } from '@/components/projects/member-list'
import { ProjectMenu } from '@/components/projects/project-menu'
import { requirePageActor } from '@/lib/auth'
import { getProject, listAgents, listMembers } from '@/lib/projects'
import { orNotFound } from '../../or-not-found'

export const metadata: Metadata = { title: 'Project' }

type Props = { params: Promise<{ projectId: string }> }

export default async function ProjectPage({ params }: Props) {
  const { projectId } = await params
  const actor = await requirePageActor(`/projects/${projectId}`)
  const project = await orNotFound(getProject(actor, projectId))
  const [agents, members] = await Promise.all([
    listAgents(actor, projectId, { limit: 50 }),
    listMembers(actor, projectId),
  ])
  return (
    <Page
      title={project.name}
      lead={project.description}
      up={{ href: '/projects', label: 'Projects' }}
      actions={<ProjectMenu project={project} />}
    >
      <AgentList project={project} first={agents} />
      <MemberList project={project} first={members} selfId={actor.userId} />
    </Page>
  )
}
