'use client'

import { Ellipsis, Pencil, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { IconButton } from '@/components/ui/button'
import { Menu, MenuItem } from '@/components/ui/menu'
import type { ProjectRecord } from '@/lib/contracts/projects'
import { DeleteProject } from './delete-project'
import { ProjectDialog } from './project-dialog'

/** What can be done with a project by whoever looks at it: nothing, for a viewer. */
export function ProjectMenu({ project }: { project: ProjectRecord }) {
  const [window, openWindow] = useState<'edit' | 'delete' | null>(null)
  const onOpenChange = (open: boolean) => {
    if (!open) openWindow(null)
  }
  if (project.role === 'viewer') return null
  return (
    <>
      <Menu
        align="end"
        trigger={
          <IconButton label={`Actions for ${project.name}`}>
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<Pencil size={16} aria-hidden />} onSelect={() => openWindow('edit')}>
          Edit
        </MenuItem>
        {project.role === 'owner' ? (
          <MenuItem icon={<Trash2 size={16} aria-hidden />} danger onSelect={() => openWindow('delete')}>
            Delete…
          </MenuItem>
        ) : null}
      </Menu>
      <ProjectDialog open={window === 'edit'} onOpenChange={onOpenChange} project={project} />
      <DeleteProject open={window === 'delete'} onOpenChange={onOpenChange} project={project} />
    </>
  )
}
