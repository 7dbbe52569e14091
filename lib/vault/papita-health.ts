import type { HealthCheck } from '../contracts/health'
import { env } from '../env'
import { remember } from '../remember'
import { lastFailure } from './papita'
import { callPapita } from './papita-call'

/** How long one look at Papita serves, and how long a question that failed is told of. */
const freshMs = 5000
const toldMs = 60_000

type Look = { at: number; look: Promise<HealthCheck> }

/**
 * How Papita is, by a call that needs no user and gives no key (2 s at most, one in 5 s), and by the last real question.
 * Any answer below 500 says that it is there.
 */
export async function checkPapita(): Promise<HealthCheck> {
  if (!env().PAPITA_API_URL) return { status: 'off', detail: 'PAPITA_API_URL is not set.' }
  const known = remember<{ last: Look | null }>('vault.papita.look', () => ({ last: null }))
  if (!known.last || performance.now() - known.last.at > freshMs) {
    known.last = { at: performance.now(), look: look() }
  }
  const seen = await known.last.look
  const failure = lastFailure()
  if (seen.status !== 'healthy' || !failure || Date.now() - failure.at > toldMs) return seen
  return { ...seen, status: 'degraded', detail: `A question for a key failed. ${failure.why}` }
}

async function look(): Promise<HealthCheck> {
  const startedAt = performance.now()
  const reply = await callPapita('/api/health', { withToken: false })
  const latency_ms = Math.round(performance.now() - startedAt)
  if ('fault' in reply) return { status: 'down', latency_ms, detail: reply.fault }
  if (reply.status < 500) return { status: 'healthy', latency_ms }
  return { status: 'down', latency_ms, detail: `Papita has an error of its own (status ${reply.status}).` }
}
