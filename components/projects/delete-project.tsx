'use client'

import { useRouter } from 'next/navigation'
import { ConfirmDialog } from '@/components/ui/confirm'
import { request } from '@/components/ui/request'
import { notify } from '@/components/ui/toast'
import type { ProjectRecord } from '@/lib/contracts/projects'

type DeleteProjectProps = { open: boolean; onOpenChange: (open: boolean) => void; project: ProjectRecord }

/** Deletes a project with everything in it, after its name was typed. */
export function DeleteProject({ open, onOpenChange, project }: DeleteProjectProps) {
  const router = useRouter()
  const agents = project.agent_count === 1 ? 'its agent' : `its ${project.agent_count} agents`

  async function remove() {
    await request('DELETE', `/api/projects/${project.id}?confirm=${encodeURIComponent(project.name)}`)
    notify({ title: `Deleted “${project.name}”` })
    router.push('/projects')
    router.refresh()
  }

  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Delete “${project.name}”?`}
      action="Delete project"
      typeName={project.name}
      onConfirm={remove}
    >
      This deletes the project for everyone in it
      {project.agent_count > 0
        ? `, with ${agents}, their prompts and every conversation held with them`
        : null}
      , and its keys, in the vault and for programs. It cannot be undone.
    </ConfirmDialog>
  )
}
