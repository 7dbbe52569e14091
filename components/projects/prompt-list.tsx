'use client'

import { Plus, Trash2 } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import { Button, IconButton } from '@/components/ui/button'
import { MoreButton } from '@/components/ui/more-button'
import { request } from '@/components/ui/request'
import { offerUndo } from '@/components/ui/toast'
import { useListing } from '@/components/ui/use-listing'
import type { Listing } from '@/lib/contracts/primitives'
import type { PromptRecord } from '@/lib/contracts/projects'
import { PromptDialog } from './prompt-dialog'

type PromptListProps = { agentId: string; first: Listing<PromptRecord>; readOnly: boolean }

/** The prompts of an agent, which `/` offers in its chats. */
export function PromptList({ agentId, first, readOnly }: PromptListProps) {
  const router = useRouter()
  const [open, setOpen] = useState(false)
  const [edited, setEdited] = useState<PromptRecord>()
  const [hidden, setHidden] = useState<string[]>([])
  const { items, ...more } = useListing(first, `/api/agents/${agentId}/prompts`)
  const shown = items.filter(({ id }) => !hidden.includes(id))

  function edit(prompt?: PromptRecord) {
    setEdited(prompt)
    setOpen(true)
  }

  function remove({ id, title }: PromptRecord) {
    setHidden((ids) => [...ids, id])
    offerUndo({
      title: `Deleted “${title}”`,
      restore: () => setHidden((ids) => ids.filter((other) => other !== id)),
      commit: async (leaving) => {
        await request('DELETE', `/api/prompts/${id}`, undefined, { keepalive: leaving })
        router.refresh()
      },
    })
  }

  return (
    <Section
      title="Prompts"
      lead="Texts to begin with. Type / in a chat with this agent to insert one."
      actions={
        readOnly ? null : (
          <Button icon={<Plus size={16} aria-hidden />} onClick={() => edit()}>
            New prompt
          </Button>
        )
      }
    >
      {shown.length === 0 ? (
        <p className="border-t py-4 text-ink-soft text-ui">None yet.</p>
      ) : (
        <ul className="border-t">
          {shown.map((prompt) => (
            <PromptRow
              key={prompt.id}
              prompt={prompt}
              edit={readOnly ? undefined : () => edit(prompt)}
              remove={readOnly ? undefined : () => remove(prompt)}
            />
          ))}
        </ul>
      )}
      <MoreButton {...more} />
      <PromptDialog open={open} onOpenChange={setOpen} agentId={agentId} prompt={edited} />
    </Section>
  )
}

type PromptRowProps = { prompt: PromptRecord; edit?: () => void; remove?: () => void }

function PromptRow({ prompt, edit, remove }: PromptRowProps) {
  const excerpt = <span className="truncate text-ink-soft text-ui">{prompt.content}</span>
  return (
    <li className="relative flex items-center gap-3 border-b py-3 transition-colors hover:bg-surface/60">
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        {edit ? (
          <button
            type="button"
            onClick={edit}
            className="truncate text-left font-medium text-ui after:absolute after:inset-0"
          >
            {prompt.title}
          </button>
        ) : (
          <span className="truncate font-medium text-ui">{prompt.title}</span>
        )}
        {excerpt}
      </div>
      {remove ? (
        <IconButton label={`Delete ${prompt.title}`} onClick={remove} className="relative">
          <Trash2 size={16} aria-hidden />
        </IconButton>
      ) : null}
    </li>
  )
}
