'use client'

import { Plus } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { TextareaField, TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { useSubmit } from '@/components/ui/use-submit'
import type { ProjectRecord } from '@/lib/contracts/projects'

type ProjectDialogProps = {
  open: boolean
  onOpenChange: (open: boolean) => void
  /** The project to change; without it a new one is made and opened. */
  project?: ProjectRecord
}

/** Names a project, old or new. */
export function ProjectDialog({ open, onOpenChange, project }: ProjectDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={project ? 'Edit project' : 'New project'}>
      <ProjectForm close={() => onOpenChange(false)} project={project} />
    </Dialog>
  )
}

/** The button that makes a project, with its window. */
export function NewProject() {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button look="primary" icon={<Plus size={16} aria-hidden />} onClick={() => setOpen(true)}>
        New project
      </Button>
      <ProjectDialog open={open} onOpenChange={setOpen} />
    </>
  )
}

function ProjectForm({ close, project }: { close: () => void; project?: ProjectRecord }) {
  const router = useRouter()
  const { busy, failure, submit } = useSubmit()

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const body = { name: form.get('name'), description: form.get('description') }
    await submit(async () => {
      if (project) {
        await request('PATCH', `/api/projects/${project.id}`, body)
        router.refresh()
      } else {
        const made = await request<ProjectRecord>('POST', '/api/projects', body)
        router.push(`/projects/${made.id}`)
      }
      close()
    })
  }

  return (
    <form onSubmit={save}>
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <TextField
          label="Name"
          name="name"
          required
          maxLength={120}
          autoComplete="off"
          defaultValue={project?.name}
          error={failure?.issueOf('name')}
        />
        <TextareaField
          label="Description"
          hint="Optional. What the people in it work on."
          name="description"
          maxLength={2000}
          defaultValue={project?.description}
          error={failure?.issueOf('description')}
        />
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy}>
          {project ? 'Save' : 'Create project'}
        </Button>
      </DialogActions>
    </form>
  )
}
