'use client'

import { ChevronDown, RotateCcw, Settings2 } from 'lucide-react'
import type { AgentRecord } from '@/lib/contracts/projects'
import { Menu, MenuItem, MenuLink, MenuSeparator } from '../ui/menu'
import { notify, notifyFailure } from '../ui/toast'
import { renewSession } from './session'
import type { Turn } from './turns'

/** An agent that a chat can be begun with. */
export type LaunchableAgent = Pick<AgentRecord, 'id' | 'name'> & { project_name: string }

type AgentSwitcherProps = { agent: AgentRecord; agents: readonly LaunchableAgent[]; model: string }

/** The model as the reader knows it: the one that answered last, else the one that the agent asks for. */
export function modelLabel({ model_provider, model_name }: AgentRecord, turns: readonly Turn[]): string {
  const last = turns.findLast(({ message }) => message.provider !== undefined)?.message
  const provider = last?.provider ?? model_provider
  return provider === 'demo' ? 'Demo model' : (last?.model ?? model_name)
}

async function beginSession(): Promise<void> {
  try {
    await renewSession()
    notify({ title: 'A new session has begun' })
  } catch (error) {
    notifyFailure('No new session was begun', error)
  }
}

/** Who answers here, by agent and model; another agent begins a new chat. */
export function AgentSwitcher({ agent, agents, model }: AgentSwitcherProps) {
  const others = agents.filter(({ id }) => id !== agent.id)
  return (
    <Menu
      side="top"
      trigger={
        <button
          type="button"
          aria-label={`Agent ${agent.name}, model ${model}. Change`}
          className="inline-flex h-9 pointer-coarse:h-11 min-w-0 items-center gap-1.5 rounded-control px-2.5 text-ui transition-colors hover:bg-ink/6 data-popup-open:bg-ink/6"
        >
          <span className="truncate font-medium">{agent.name}</span>
          <span className="hidden truncate text-ink-soft sm:inline">{model}</span>
          <ChevronDown size={14} aria-hidden className="shrink-0 text-ink-soft" />
        </button>
      }
    >
      {others.length > 0 ? <p className="px-2 pt-1.5 pb-1 text-ink-soft text-label">New chat with</p> : null}
      {others.slice(0, 30).map(({ id, name, project_name }) => (
        <MenuLink key={id} href={`/chat/${id}`}>
          <span className="block truncate">{name}</span>
          <span className="block truncate text-ink-soft text-label">{project_name}</span>
        </MenuLink>
      ))}
      {others.length > 0 ? <MenuSeparator /> : null}
      <MenuLink
        href={`/projects/${agent.project_id}/agents/${agent.id}`}
        icon={<Settings2 size={16} aria-hidden />}
      >
        Settings of {agent.name}
      </MenuLink>
      <MenuItem icon={<RotateCcw size={16} aria-hidden />} onSelect={() => void beginSession()}>
        New session
      </MenuItem>
    </Menu>
  )
}
