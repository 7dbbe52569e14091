import type { LiveHealth } from '@/components/portal/use-health'
import type { Tone } from '@/components/ui/status'
import { sayStep } from '@/components/vault/credential-words'
import type { ResolutionStep } from '@/lib/contracts/credentials'
import type { Health } from '@/lib/contracts/health'

type Said = { tone: Tone; words: string }

/** How AL-Chat is, and if it is not well, the first part of it that is not. */
export function sayService(live: LiveHealth): Said {
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

/** Whether an agent can answer, by the step of the resolution that would serve it; null if none would. */
export function sayServing(serving: ResolutionStep | null, live: LiveHealth): Said {
  if (live.state === 'unreachable') return { tone: 'bad', words: 'AL-Chat does not answer' }
  if (!serving) return { tone: 'bad', words: 'No key serves this' }
  if (serving.source === 'demo') return { tone: 'idle', words: 'Demo model, not an AI' }
  if (serving.failure) return { tone: 'bad', words: sayStep(serving) }
  if (live.state === 'unknown') return { tone: 'idle', words: serving.detail }
  // Degraded is said of the key for everyone, which need not be this one.
  const isDown = live.health.checks.provider.status === 'down'
  return { tone: isDown ? 'bad' : 'good', words: serving.detail }
}

/**
 * What would keep a chat that is launched now from an answer, or null: by the health just asked for, or by what came
 * instead of it, and by the key that would serve.
 */
export function sayObstacle(
  serving: ResolutionStep | null,
  health: Health | 'database' | 'silence',
): string | null {
  if (health === 'silence') return 'AL-Chat does not answer. Check the connection.'
  if (health === 'database') return 'The database of AL-Chat does not answer. Try again in a moment.'
  if (!serving) return 'No key serves this agent. Add one in the vault.'
  if (serving.failure) return sayStep(serving)
  const { status, detail } = health.checks.provider
  return status === 'down' && serving.source !== 'demo' ? (detail ?? 'No key can be read.') : null
}
