'use client'

import { type LiveHealth, useHealth } from '@/components/portal/use-health'
import { StatusDot, type Tone } from '@/components/ui/status'
import type { ResolutionStep } from '@/lib/contracts/credentials'

type Said = { tone: Tone; words: string }

function sayService(live: LiveHealth): Said {
  if (live.state === 'unknown') return { tone: 'idle', words: 'Checking…' }
  if (live.state === 'unreachable')
    return { tone: 'bad', words: 'AL-Chat does not answer. Check the connection.' }
  const { checks, status } = live.health
  if (status === 'healthy') return { tone: 'good', words: 'Healthy' }
  const names = { database: 'Database', papita: 'Papita', provider: 'Provider', storage: 'Storage' }
  const sick = (Object.keys(names) as (keyof typeof names)[]).find((name) =>
    /degraded|down/.test(checks[name].status),
  )
  if (!sick) return { tone: 'warn', words: 'Degraded' }
  return { tone: 'warn', words: `${names[sick]}: ${checks[sick].detail ?? checks[sick].status}` }
}

/** How AL-Chat is, now. */
export function ServiceHealth() {
  const { tone, words } = sayService(useHealth())
  return <StatusDot tone={tone} label={words} />
}

/** Whether an agent can answer, and the key that would serve it. */
export function ServingKey({ serving }: { serving: ResolutionStep | null }) {
  const live = useHealth()
  if (live.state === 'unreachable') return <StatusDot tone="bad" label="AL-Chat does not answer" />
  if (!serving) return <StatusDot tone="bad" label="No key serves this" />
  if (serving.source === 'demo') return <StatusDot tone="idle" label="Demo model, not an AI" />
  if (live.state === 'unknown') return <StatusDot tone="idle" label={serving.detail} />
  const { status } = live.health.checks.provider
  const tone: Tone =
    status === 'healthy' ? 'good' : status === 'down' ? 'bad' : status === 'degraded' ? 'warn' : 'good'
  return <StatusDot tone={tone} label={serving.detail} />
}
