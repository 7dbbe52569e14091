'use client'

import { Bot, MessageSquare, Plus, Trash2 } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { Section } from '@/components/portal/page'
import { IconButton, iconButtonClasses } from '@/components/ui/button'
import { LinkButton } from '@/components/ui/link-button'
import { MoreButton } from '@/components/ui/more-button'
import { request } from '@/components/ui/request'
import { EmptyState } from '@/components/ui/status'
import { offerUndo } from '@/components/ui/toast'
import { useListing } from '@/components/ui/use-listing'
import type { Listing } from '@/lib/contracts/primitives'
import type { AgentRecord, ProjectRecord } from '@/lib/contracts/projects'
import { providers } from './agent-fields'

type AgentListProps = { project: ProjectRecord; first: Listing<AgentRecord> }

/** The agents of a project: talk to one, change it, delete it. */
export function AgentList({ project, first }: AgentListProps) {
  const router = useRouter()
  const mayEdit = project.role !== 'viewer'
  const { items, ...more } = useListing(first, `/api/projects/${project.id}/agents`)
  const [hidden, setHidden] = useState<string[]>([])
  const shown = items.filter(({ id }) => !hidden.includes(id))
  const create = (
    <LinkButton
      href={`/projects/${project.id}/agents/new`}
      look={shown.length === 0 ? 'primary' : 'secondary'}
      icon={<Plus size={16} aria-hidden />}
    >
      New agent
    </LinkButton>
  )

  function remove({ id, name }: AgentRecord) {
    setHidden((ids) => [...ids, id])
    offerUndo({
      title: `Deleted “${name}” with its prompts and conversations`,
      restore: () => setHidden((ids) => ids.filter((other) => other !== id)),
      commit: async (leaving) => {
        await request('DELETE', `/api/agents/${id}`, undefined, { keepalive: leaving })
        router.refresh()
      },
    })
  }

  return (
    <Section title="Agents" actions={mayEdit && shown.length > 0 ? create : null}>
      {shown.length === 0 ? (
        <EmptyState
          icon={<Bot size={24} aria-hidden />}
          title="No agents here yet"
          action={mayEdit ? create : undefined}
        >
          An agent is a model with a name, instructions and settings that everyone here shares.
        </EmptyState>
      ) : (
        <div>
          <ul className="border-t">
            {shown.map((agent) => (
              <AgentRow key={agent.id} agent={agent} remove={mayEdit ? () => remove(agent) : undefined} />
            ))}
          </ul>
          <MoreButton {...more} />
        </div>
      )}
    </Section>
  )
}

function AgentRow({ agent, remove }: { agent: AgentRecord; remove?: () => void }) {
  const provider = providers.find(({ value }) => value === agent.model_provider)
  return (
    <li className="group relative flex items-center gap-3 border-b py-3 transition-colors hover:bg-surface/60">
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        <Link
          href={`/projects/${agent.project_id}/agents/${agent.id}`}
          className="truncate font-medium text-ui after:absolute after:inset-0"
        >
          {agent.name}
        </Link>
        <span className="truncate text-ink-soft text-ui">
          {agent.description || firstLine(agent.system_prompt)}
        </span>
      </div>
      <span className="shrink-0 text-right text-ink-soft text-label max-sm:hidden">
        {agent.model_provider === 'demo' ? provider?.label : agent.model_name}
      </span>
      <div className="relative flex shrink-0">
        <Link
          href={`/chat/${agent.id}`}
          aria-label={`Chat with ${agent.name}`}
          className={iconButtonClasses()}
        >
          <MessageSquare size={16} aria-hidden />
        </Link>
        {remove ? (
          <IconButton label={`Delete ${agent.name}`} onClick={remove}>
            <Trash2 size={16} aria-hidden />
          </IconButton>
        ) : null}
      </div>
    </li>
  )
}

function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0] || 'No description'
}
