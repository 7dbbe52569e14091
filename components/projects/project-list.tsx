'use client'

import { FolderClosed } from 'lucide-react'
import Link from 'next/link'
import { MoreButton } from '@/components/ui/more-button'
import { EmptyState } from '@/components/ui/status'
import { Time } from '@/components/ui/time'
import { useListing } from '@/components/ui/use-listing'
import type { Listing } from '@/lib/contracts/primitives'
import type { ProjectRecord } from '@/lib/contracts/projects'
import { NewProject } from './project-dialog'
import { ProjectMenu } from './project-menu'

/** Every project of the reader. */
export function ProjectList({ first }: { first: Listing<ProjectRecord> }) {
  const { items, ...more } = useListing(first, '/api/projects')
  if (items.length === 0) {
    return (
      <div data-empty>
        <EmptyState
          icon={<FolderClosed size={24} aria-hidden />}
          title="No projects yet"
          action={<NewProject />}
        >
          Make one for a team or a piece of work, then give it an agent to talk to.
        </EmptyState>
      </div>
    )
  }
  return (
    <div>
      <ul className="border-t">
        {items.map((project) => (
          <ProjectRow key={project.id} project={project} />
        ))}
      </ul>
      <MoreButton {...more} />
    </div>
  )
}

function ProjectRow({ project }: { project: ProjectRecord }) {
  const { id, name, description, agent_count, role, updated_at } = project
  return (
    <li className="group relative flex items-center gap-4 border-b py-3 transition-colors hover:bg-surface/60">
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        <Link href={`/projects/${id}`} className="truncate font-medium text-ui after:absolute after:inset-0">
          {name}
        </Link>
        {description ? <span className="truncate text-ink-soft text-ui">{description}</span> : null}
      </div>
      <div className="flex shrink-0 gap-6 text-right text-ink-soft text-label tabular-nums">
        {role === 'owner' ? null : <span className="max-sm:hidden capitalize">{role}</span>}
        <span>
          {agent_count} {agent_count === 1 ? 'agent' : 'agents'}
        </span>
        <span className="w-24 max-sm:hidden">
          <Time at={updated_at} />
        </span>
      </div>
      <div className="relative flex w-9 pointer-coarse:w-11 justify-end">
        <ProjectMenu project={project} />
      </div>
    </li>
  )
}
