import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as metrics from '../../lib/metrics'
import { metricsType, writeMetrics } from '../../lib/metrics'
import { classOf } from '../../lib/metrics/route-class'
import { listRoutes } from '../support/route-files'

type Store = { __alChat?: Map<string, unknown> }

beforeEach(() => void (globalThis as Store).__alChat?.delete('metrics'))
afterEach(() => vi.useRealTimers())

const glance = {
  pool: { total: 5, idle: 2, waiting: 1 },
  checks: { papita: 'degraded', database: 'healthy' },
  keys: { good: 3, expiring: 1, failing: 0, expired: 0 },
} as const

/** The values of one metric, by its labels. */
async function read(name: string): Promise<Record<string, number>> {
  const text = await writeMetrics(glance)
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /^\w+(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      return [labels, Number(value)]
    }),
  )
}

const call = {
  surface: 'gateway',
  provider: 'openai',
  outcome: 'completed',
  inputTokens: 10,
  cachedTokens: 4,
  outputTokens: 5,
  reasoningTokens: 2,
  costUsd: '0.25',
  firstTokenMs: 400,
  durationMs: 1500,
} as const

test('requests are counted by sort, method and status', async () => {
  metrics.countRequest('/api/agents/018f', 'GET', 200, 12)
  metrics.countRequest('/api/agents', 'GET', 200, 30)
  metrics.countRequest('/v1/chat/completions', 'POST', 502, 30)
  expect(await read('al_chat_http_requests_total')).toEqual({
    'class="agents",method="GET",status="200"': 2,
    'class="v1",method="POST",status="502"': 1,
  })
  const buckets = await read('al_chat_http_request_seconds_bucket')
  expect(buckets['le="0.025",class="agents"']).toBe(1)
  expect(buckets['le="0.05",class="agents"']).toBe(2)
})

test('every route of ours is counted under a word of its own', () => {
  const others = listRoutes().filter((route) => classOf(route) === 'other' && route !== '/api/[[...path]]')
  expect(others).toEqual([])
})

test('no caller can make a label up', async () => {
  for (let index = 0; index < 2000; index += 1)
    metrics.countRequest(`/api/made-up-${index}/x`, `METHOD${index}`, 404, 1)
  for (const path of [
    '',
    '/',
    '//',
    '/api',
    '/api/',
    '/__proto__',
    '/api/constructor',
    '/API/agents',
    '/api/%61gents',
  ])
    expect([path, classOf(path)]).toEqual([path, 'other'])
  expect(await read('al_chat_http_requests_total')).toEqual({
    'class="other",method="other",status="404"': 2000,
  })
})

test('calls of model servers are counted by outcome, with tokens, cost and times', async () => {
  metrics.countCall(call)
  metrics.countCall({ ...call, outcome: 'failed', costUsd: null, firstTokenMs: null })
  expect(await read('al_chat_upstream_calls_total')).toEqual({
    'surface="gateway",provider="openai",outcome="completed"': 1,
    'surface="gateway",provider="openai",outcome="failed"': 1,
  })
  expect(await read('al_chat_upstream_tokens_total')).toEqual({
    'provider="openai",kind="input"': 20,
    'provider="openai",kind="cached"': 8,
    'provider="openai",kind="output"': 10,
    'provider="openai",kind="reasoning"': 4,
  })
  expect(await read('al_chat_upstream_cost_usd_total')).toEqual({ 'provider="openai"': 0.25 })
  expect(await read('al_chat_upstream_unpriced_calls_total')).toEqual({ 'provider="openai"': 1 })
  const first = await read('al_chat_first_token_seconds_bucket')
  expect([first['le="0.3",surface="gateway"'], first['le="0.5",surface="gateway"']]).toEqual([0, 1])
})

test('frames are counted by commit; running replies, the pool, the checks and the keys are told as they are', async () => {
  metrics.countCommit(40)
  metrics.countCommit(2)
  metrics.noteRunningReplies(7)
  expect(await read('al_chat_reply_frames_total')).toEqual({ '': 42 })
  expect(await read('al_chat_reply_commits_total')).toEqual({ '': 2 })
  expect(await read('al_chat_replies_running')).toEqual({ '': 7 })
  expect(await read('al_chat_database_connections')).toEqual({ 'state="idle"': 2, 'state="busy"': 3 })
  expect(await read('al_chat_database_waiting')).toEqual({ '': 1 })
  const checks = await read('al_chat_health')
  expect([checks['part="papita",state="degraded"'], checks['part="papita",state="healthy"']]).toEqual([1, 0])
  expect(await read('al_chat_credentials')).toMatchObject({ 'state="good"': 3, 'state="expiring"': 1 })
})

test('where the database does not say how many keys there are, none are told, not the last ones', async () => {
  expect(Object.keys(await read('al_chat_credentials'))).toHaveLength(4)
  expect(await writeMetrics({ ...glance, keys: null })).not.toMatch(/^al_chat_credentials\{/m)
})

test('the process tells its memory and how late its event loop is; every line is in Prometheus’s format', async () => {
  const text = await writeMetrics(glance)
  for (const name of [
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_used_bytes',
  ])
    expect(text).toMatch(new RegExp(`^${name} `, 'm'))
  for (const line of text.split('\n'))
    expect(line).toMatch(/^($|# (HELP|TYPE) \w+ |\w+(\{(\w+="[^"\\\n]*",?)*\})? [-+\w.]+$)/)
  expect(metricsType).toBe('text/plain; version=0.0.4; charset=utf-8')
})
