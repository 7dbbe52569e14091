import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { AgentList } from '@/components/projects/agent-list'
import { MemberList } from '@/components/projects/member-list'
import { ProjectMenu } from '@/components/projects/project-menu'
import { type Actor, requirePageActor } from '@/lib/auth'
import type { ProjectRecord } from '@/lib/contracts/projects'
import { getProject, listAgents, listMembers } from '@/lib/projects'
import { orNotFound } from '../../or-not-found'

export const metadata: Metadata = { title: 'Project' }

type Props = { params: Promise<{ projectId: string }> }

export default async function ProjectPage({ params }: Props) {
  const { projectId } = await params
  const actor = await requirePageActor(`/projects/${projectId}`)
  const project = await orNotFound(getProject(actor, projectId))
  return (
    <Page
      title={project.name}
      lead={project.description}
      up={{ href: '/projects', label: 'Projects' }}
      actions={<ProjectMenu project={project} />}
    >
      <Part label="the agents" skeleton={<RowsSkeleton rows={3} />}>
        <Agents actor={actor} project={project} />
      </Part>
      <Part label="the people" skeleton={<RowsSkeleton rows={2} />}>
        <Members actor={actor} project={project} />
      </Part>
    </Page>
  )
}

type PartProps = { actor: Actor; project: ProjectRecord }

async function Agents({ actor, project }: PartProps) {
  return <AgentList project={project} first={await listAgents(actor, project.id, { limit: 50 })} />
}

async function Members({ actor, project }: PartProps) {
  const members = await listMembers(actor, project.id, { limit: 100 })
  return <MemberList project={project} first={members} selfId={actor.userId} />
}
