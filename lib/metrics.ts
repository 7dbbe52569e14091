import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { classOf } from './metrics/route-class'
import { remember } from './remember'

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const firstTokenSeconds = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60]
const callSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800]

/** All that this process counts. Labels are words of ours alone, never a caller's. */
function open() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 })
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `al_chat_${name}`, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name: `al_chat_${name}`, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, [labelNames, buckets]: [L[], number[]]) =>
    new Histogram({ name: `al_chat_${name}`, help, labelNames, buckets, registers })
  return {
    registry,
    requests: counter('http_requests_total', 'Requests answered by the API.', ['class', 'method', 'status']),
    requestTime: histogram('http_request_seconds', 'Time until an answer of the API begins.', [
      ['class'],
      requestSeconds,
    ]),
    replies: gauge('replies_running', 'Answers that this server is writing.', []),
    frames: counter('reply_frames_total', 'Frames of answers that are on disk.', []),
    commits: counter('reply_commits_total', 'Commits that held them.', []),
    calls: counter('upstream_calls_total', 'Calls of model servers that have ended.', [
      'surface',
      'provider',
      'outcome',
    ]),
    tokens: counter('upstream_tokens_total', 'Tokens of these calls; cached ones are part of the input.', [
      'provider',
      'kind',
    ]),
    cost: counter('upstream_cost_usd_total', 'What those calls cost whose price is known, in US dollars.', [
      'provider',
    ]),
    unpriced: counter('upstream_unpriced_calls_total', 'Calls whose price nobody knows.', ['provider']),
    firstToken: histogram('first_token_seconds', 'Time until the first token of a call.', [
      ['surface'],
      firstTokenSeconds,
    ]),
    callTime: histogram('upstream_call_seconds', 'Time that calls took.', [['surface'], callSeconds]),
    pool: gauge('database_connections', 'Connections to the database.', ['state']),
    waiting: gauge('database_waiting', 'Statements that wait for a connection.', []),
    checks: gauge('health', 'One for the state that a part is in, zero for the others.', ['part', 'state']),
    keys: gauge('credentials', 'Keys of the vault.', ['state']),
  }
}

type Metrics = ReturnType<typeof open>
const metrics = (): Metrics => remember('metrics', open)

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Counts an answer by what sort of address it came from. */
export function countRequest(path: string, method: string, status: number, tookMs: number): void {
  const { requests, requestTime } = metrics()
  const sort = classOf(path)
  requests.inc({ class: sort, method: knownMethods.has(method) ? method : 'other', status: String(status) })
  requestTime.observe({ class: sort }, tookMs / 1000)
}

/** Counts one commit of so many frames. */
export function countCommit(frames: number): void {
  const { frames: all, commits } = metrics()
  all.inc(frames)
  commits.inc()
}

/** How many answers this server is writing now. */
export function noteRunningReplies(count: number): void {
  metrics().replies.set(count)
}

type Call = {
  surface: 'page' | 'api' | 'gateway'
  provider: 'openai' | 'openai-compatible' | 'anthropic' | 'demo'
  outcome: 'completed' | 'stopped' | 'interrupted' | 'failed'
  inputTokens: number
  cachedTokens: number
  outputTokens: number
  reasoningTokens: number
  /** US dollars; null where nobody knows. */
  costUsd: string | null
  firstTokenMs: number | null
  durationMs: number
}

/** Counts one call of a model server that has ended. */
export function countCall(call: Call): void {
  const { calls, tokens, cost, unpriced, firstToken, callTime } = metrics()
  const { surface, provider, outcome, costUsd, firstTokenMs } = call
  calls.inc({ surface, provider, outcome })
  for (const kind of ['input', 'cached', 'output', 'reasoning'] as const)
    tokens.inc({ provider, kind }, call[`${kind}Tokens`])
  if (costUsd === null) unpriced.inc({ provider })
  else cost.inc({ provider }, Number(costUsd))
  if (firstTokenMs !== null) firstToken.observe({ surface }, firstTokenMs / 1000)
  callTime.observe({ surface }, call.durationMs / 1000)
}

const states = ['healthy', 'degraded', 'down', 'off'] as const

/** What is looked at only when somebody asks. */
export type Glance = {
  pool: { total: number; idle: number; waiting: number }
  checks: Record<string, (typeof states)[number]>
  /** How many keys are in each state; null where the database does not say. */
  keys: Record<'good' | 'expiring' | 'failing' | 'expired', number> | null
}

/** All of it in Prometheus's text format, with what was just looked at. */
export async function writeMetrics({ pool, checks, keys }: Glance): Promise<string> {
  const all = metrics()
  all.pool.set({ state: 'idle' }, pool.idle)
  all.pool.set({ state: 'busy' }, pool.total - pool.idle)
  all.waiting.set(pool.waiting)
  for (const [part, state] of Object.entries(checks))
    for (const each of states) all.checks.set({ part, state: each }, each === state ? 1 : 0)
  all.keys.reset()
  for (const [state, count] of Object.entries(keys ?? {})) all.keys.set({ state }, count)
  return all.registry.metrics()
}

/** The media type of what `writeMetrics` writes. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE
