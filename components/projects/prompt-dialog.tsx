'use client'

import { useRouter } from 'next/navigation'
import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogActions, DialogBody } from '@/components/ui/dialog'
import { FailureNote } from '@/components/ui/failure'
import { TextareaField, TextField } from '@/components/ui/field'
import { request } from '@/components/ui/request'
import { useSubmit } from '@/components/ui/use-submit'
import type { PromptRecord } from '@/lib/contracts/projects'

type PromptDialogProps = {
  open: boolean
  onOpenChange: (open: boolean) => void
  agentId: string
  /** The prompt to change; without it a new one is made. */
  prompt?: PromptRecord
}

/** A prompt with its places for variables. */
export function PromptDialog({ open, onOpenChange, agentId, prompt }: PromptDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={prompt ? 'Edit prompt' : 'New prompt'} wide>
      <PromptForm close={() => onOpenChange(false)} agentId={agentId} prompt={prompt} />
    </Dialog>
  )
}

/** The names between {{ and }}, each once, in the order of the text. */
function listPlaces(content: string): string[] {
  const found = content.matchAll(/\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g)
  return [...new Set(Array.from(found, ([, name]) => name ?? ''))]
}

type PromptFormProps = { close: () => void; agentId: string; prompt?: PromptRecord }

function PromptForm({ close, agentId, prompt }: PromptFormProps) {
  const router = useRouter()
  const { busy, failure, submit } = useSubmit()
  const [title, setTitle] = useState(prompt?.title ?? '')
  const [content, setContent] = useState(prompt?.content ?? '')
  const [defaults, setDefaults] = useState(
    () => new Map(prompt?.variables.map((variable) => [variable.name, variable.default ?? ''])),
  )
  const places = listPlaces(content)

  async function save(event: FormEvent) {
    event.preventDefault()
    const variables = places.map((name) => ({ name, default: defaults.get(name) || undefined }))
    const body = { title, content, variables }
    await submit(async () => {
      if (prompt) await request('PATCH', `/api/prompts/${prompt.id}`, body)
      else await request('POST', `/api/agents/${agentId}/prompts`, body)
      router.refresh()
      close()
    })
  }

  return (
    <form onSubmit={save}>
      <DialogBody>
        {failure && failure.issues.length === 0 ? <FailureNote failure={failure} /> : null}
        <TextField
          label="Title"
          required
          maxLength={200}
          autoComplete="off"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          error={failure?.issueOf('title')}
        />
        <TextareaField
          label="Text"
          hint="Write {{name}} where something is to be filled in."
          required
          maxLength={100_000}
          className="max-h-[40dvh] min-h-32"
          value={content}
          onChange={(event) => setContent(event.target.value)}
          error={failure?.issueOf('content')}
        />
        {places.map((name) => (
          <TextField
            key={name}
            label={<span className="font-mono">{name}</span>}
            aria-label={`Default for ${name}`}
            placeholder="No default"
            autoComplete="off"
            value={defaults.get(name) ?? ''}
            onChange={(event) => setDefaults(new Map(defaults).set(name, event.target.value))}
          />
        ))}
      </DialogBody>
      <DialogActions>
        <Button look="ghost" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy}>
          {prompt ? 'Save' : 'Add prompt'}
        </Button>
      </DialogActions>
    </form>
  )
}
