import type { Metadata } from 'next'
import { Page } from '@/components/portal/page'
import { Part, RowsSkeleton } from '@/components/portal/part'
import { NewProject } from '@/components/projects/project-dialog'
import { ProjectList } from '@/components/projects/project-list'
import { type Actor, requirePageActor } from '@/lib/auth'
import { listProjects } from '@/lib/projects'

export const metadata: Metadata = { title: 'Projects' }

export default async function ProjectsPage() {
  const actor = await requirePageActor('/projects')
  return (
    <Page
      title="Projects"
      lead="A project holds agents and the people who may use them."
      actions={<NewProject />}
    >
      <Part label="your projects" skeleton={<RowsSkeleton />}>
        <Projects actor={actor} />
      </Part>
    </Page>
  )
}

async function Projects({ actor }: { actor: Actor }) {
  return <ProjectList first={await listProjects(actor, { limit: 50 })} />
}
