import { expect, test } from 'vitest'
import { sayObstacle, sayService, sayServing } from '../../components/dashboard/live-words'
import { CredentialFailure, type ResolutionStep } from '../../lib/contracts/credentials'
import type { Health, HealthCheck } from '../../lib/contracts/health'

const step: ResolutionStep = { source: 'user', status: 'serves', detail: 'OpenAI key ending 9e77' }

function live(provider: HealthCheck['status'], detail?: string) {
  const checks = { database: well, papita: well, provider: { status: provider, detail }, storage: well }
  const status = provider === 'healthy' ? 'healthy' : 'degraded'
  const rest = { service: 'AL-Chat', version: '1', uptime_seconds: 1, timestamp: '' } as const
  return { state: 'known', health: { status, checks, ...rest } as Health, info: null } as const
}
const well: HealthCheck = { status: 'healthy' }

test.each(CredentialFailure.options)(
  'a tile whose key is known to fail (%s) says so, and is not green',
  (failure) => {
    for (const now of [live('healthy'), live('degraded'), { state: 'unknown' } as const]) {
      const { tone, words } = sayServing({ ...step, failure }, now)
      expect(tone).toBe('bad')
      expect(words).toMatch(/^OpenAI key ending 9e77\. \S.{10,}\.$/)
    }
    expect(sayServing({ ...step, failure: 'refused' }, live('healthy')).words).toContain('refuses it')
  },
)

test('a tile is green where its own key is not known to fail, whatever is wrong with the one for everyone', () => {
  expect(sayServing(step, live('healthy'))).toEqual({ tone: 'good', words: step.detail })
  expect(sayServing(step, live('degraded'))).toEqual({ tone: 'good', words: step.detail })
  expect(sayServing(step, live('down')).tone).toBe('bad')
  expect(sayServing(step, { state: 'unknown' }).tone).toBe('idle')
  expect(sayServing(step, { state: 'unreachable' }).tone).toBe('bad')
  expect(sayServing(null, live('healthy'))).toEqual({ tone: 'bad', words: 'No key serves this' })
  expect(sayServing({ ...step, source: 'demo' }, live('healthy')).tone).toBe('idle')
})

test('the health names the part that is not well, in its words', () => {
  expect(sayService(live('healthy'))).toEqual({ tone: 'good', words: 'Healthy' })
  expect(sayService(live('degraded', 'A key fails.'))).toEqual({
    tone: 'warn',
    words: 'Provider: A key fails.',
  })
  expect(sayService({ state: 'unreachable' }).tone).toBe('bad')
})

test('what is launched is held back by what would keep it from an answer, in words, and by nothing else', () => {
  const healthy = live('healthy').health
  expect(sayObstacle(step, healthy)).toBeNull()
  expect(sayObstacle(step, live('degraded', 'A key fails.').health)).toBeNull()
  expect(sayObstacle({ ...step, source: 'demo' }, live('down').health)).toBeNull()
  expect(sayObstacle(step, live('down', 'Keys cannot be read.').health)).toBe('Keys cannot be read.')
  expect(sayObstacle({ ...step, failure: 'refused' }, healthy)).toContain('refuses it')
  expect(sayObstacle(null, healthy)).toContain('No key')
  expect(sayObstacle(step, 'database')).toContain('database')
  expect(sayObstacle(step, 'silence')).toContain('does not answer')
})
