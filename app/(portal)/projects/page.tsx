import type { Metadata } from 'next'
import { ProjectList } from '@/components/projects/project-list'
import { requirePageActor } from '@/lib/auth'
import { listProjects } from '@/lib/projects'

export const metadata: Metadata = { title: 'Projects' }

export default async function ProjectsPage() {
  const actor = await requirePageActor('/projects')
  return <ProjectList first={await listProjects(actor, { limit: 50 })} />
}
