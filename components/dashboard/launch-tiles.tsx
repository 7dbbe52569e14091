import { Plus } from 'lucide-react'
import Link from 'next/link'
import type { ResolutionStep } from '@/lib/contracts/credentials'
import type { LaunchableAgent } from '@/lib/contracts/projects'
import { LaunchLink } from './launch-link'
import { ServingKey } from './live-dot'

/** With the step of the resolution that would serve it; null if none would. */
type Launchable = LaunchableAgent & { serving: ResolutionStep | null }

type LaunchTilesProps = {
  agents: Launchable[]
  /** What serves a chat without an agent of one's own. */
  serving: ResolutionStep | null
  /** Where an agent is made. */
  newAgentHref: string
}

/** AL-Chat and every agent, to be launched. AL-Chat is an agent too, once it was opened. */
export function LaunchTiles({ agents, serving, newAgentHref }: LaunchTilesProps) {
  const hasPlain = agents.some(({ name }) => name === 'AL-Chat')
  return (
    <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(200px,100%),1fr))] gap-3">
      {hasPlain ? null : (
        <Tile
          href="/chat"
          name="AL-Chat"
          detail={agents.length === 0 ? 'A plain conversation' : 'A new chat with the agent you used last'}
          serving={serving}
        />
      )}
      {agents.map((agent) => (
        <Tile
          key={agent.id}
          href={`/chat/${agent.id}`}
          name={agent.name}
          detail={agent.description || agent.project_name}
          serving={agent.serving}
        />
      ))}
      <li>
        <Link
          href={newAgentHref}
          className="flex h-full min-h-14 items-center sm:min-h-28 justify-center gap-2 rounded-panel border border-edge/60 border-dashed text-ink-soft text-ui transition-colors hover:bg-surface hover:text-ink"
        >
          <Plus size={16} aria-hidden />
          New agent
        </Link>
      </li>
    </ul>
  )
}

type TileProps = { href: string; name: string; detail: string; serving: ResolutionStep | null }

function Tile({ href, name, detail, serving }: TileProps) {
  return (
    <li className="flex flex-col">
      <LaunchLink
        href={href}
        serving={serving}
        className="flex min-h-24 flex-1 flex-col sm:min-h-28 justify-between gap-4 rounded-panel border p-4 transition-colors hover:border-edge hover:bg-surface"
      >
        <span className="flex min-w-0 flex-col gap-0.5">
          <span className="truncate font-semibold text-ui">{name}</span>
          <span className="line-clamp-2 text-ink-soft text-ui">{detail}</span>
        </span>
        <ServingKey serving={serving} />
      </LaunchLink>
    </li>
  )
}
