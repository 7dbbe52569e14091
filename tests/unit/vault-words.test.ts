import { describe, expect, it } from 'vitest'
import { toNotices } from '../../components/dashboard/notice-words'
import { sayEnd } from '../../components/keys/key-end'
import { sayScopes, scopes } from '../../components/keys/scope-words'
import { sayEndsSoon, sayFailure, sayKeyState, sayTest } from '../../components/vault/credential-words'
import { guessProvider, isOwnKey } from '../../components/vault/provider-guess'
import { CredentialFailure, type CredentialView, type KeyConcern } from '../../lib/contracts/credentials'
import { adminScopes, type KeyRecord, Scope } from '../../lib/contracts/keys'

const asOf = '2026-06-15T12:00:00.000Z'
const inDays = (days: number) => new Date(Date.parse(asOf) + days * 86_400_000).toISOString()

const credential: CredentialView = {
  id: '0198c0de-0000-7000-8000-000000000001',
  scope: 'user',
  credentialType: 'openai',
  projectId: null,
  username: 'ada@example.com',
  label: null,
  baseUrl: 'https://api.openai.com/v1',
  last4: '9e77',
  createdAt: asOf,
  updatedAt: asOf,
  lastUsedAt: null,
  expiresAt: null,
  failure: null,
  failedAt: null,
}

const apiKey: KeyRecord = {
  id: '0198c0de-0000-7000-8000-000000000002',
  name: 'Report',
  last4: 'abcd',
  scopes: ['chat'],
  project_id: null,
  budget_usd: null,
  budget_period: 'total' as const,
  spent_usd: null,
  allowed_models: [],
  requests_per_minute: null,
  tokens_per_minute: null,
  fallback_credentials: false,
  fallback_models: [],
  cache_seconds: null,
  created_at: asOf,
  expires_at: null,
  last_used_at: null,
}

describe('the provider of a key', () => {
  it('is known from how the key begins, the longer sign first', () => {
    expect(guessProvider('sk-proj-abc')).toMatchObject({ type: 'openai' })
    expect(guessProvider('sk-ant-api03-abc')).toMatchObject({ type: 'anthropic' })
    expect(guessProvider('  sk-or-v1-abc')).toMatchObject({ type: 'openai-compatible', name: 'OpenRouter' })
    expect(guessProvider('gsk_abc')).toMatchObject({ baseUrl: 'https://api.groq.com/openai/v1' })
    expect(guessProvider('abc')).toBeNull()
    expect(guessProvider('')).toBeNull()
  })

  it('is told without anything of the key', () => {
    const canary = 'sk-or-v1-canary'
    expect(JSON.stringify(guessProvider(canary))).not.toContain('canary')
  })

  it('is nobody’s for a key of AL-Chat itself', () => {
    expect(isOwnKey(' alc_abc')).toBe(true)
    expect(isOwnKey('sk-abc')).toBe(false)
  })
})

describe('the state of a key', () => {
  it('tells the worst first: ended, failing, ending soon', () => {
    const ended = { ...credential, expiresAt: inDays(-1), failure: 'quota' as const, failedAt: asOf }
    expect(sayKeyState(ended, asOf)).toMatchObject({ tone: 'bad', words: expect.stringContaining('ended') })
    const failing = { ...credential, expiresAt: inDays(3), failure: 'refused' as const, failedAt: asOf }
    expect(sayKeyState(failing, asOf)).toMatchObject({
      tone: 'bad',
      since: asOf,
      words: sayFailure('refused'),
    })
    expect(sayKeyState({ ...credential, expiresAt: inDays(3) }, asOf)).toEqual({
      tone: 'warn',
      words: 'Ends in 3 days',
    })
  })

  it('says nothing good of a key that was never used', () => {
    expect(sayKeyState(credential, asOf).tone).toBe('idle')
    expect(sayKeyState({ ...credential, lastUsedAt: asOf }, asOf).tone).toBe('good')
  })

  it('says what to do about every failure that there is, each in its own words', () => {
    const said = CredentialFailure.options.map(sayFailure)
    expect(new Set(said).size).toBe(CredentialFailure.options.length)
    for (const words of said) expect(words).toMatch(/\.$/)
  })

  it('counts the days that are left, and is quiet until there are 14', () => {
    expect(sayEndsSoon(inDays(15), asOf)).toBeNull()
    expect(sayEndsSoon(inDays(14), asOf)).toBe('Ends in 14 days')
    expect(sayEndsSoon(inDays(1), asOf)).toBe('Ends in 1 day')
    expect(sayEndsSoon(inDays(0.5), asOf)).toBe('Ends within a day')
    expect(sayEndsSoon(asOf, asOf)).toBeNull()
    expect(sayEndsSoon(null, asOf)).toBeNull()
  })

  it('tells what a test came to', () => {
    expect(sayTest({ ok: true, latency_ms: 12.4, models: 1 }).words).toBe('Works, 1 model (12 ms)')
    expect(sayTest({ ok: false, latency_ms: 9, error: 'No.' })).toEqual({ tone: 'bad', words: 'No.' })
  })
})

describe('scopes', () => {
  it('are all offered, those of admins marked', () => {
    expect(scopes.map(({ scope }) => scope).toSorted()).toEqual(Scope.options.toSorted())
    expect(scopes.filter(({ isForAdmins }) => isForAdmins).map(({ scope }) => scope)).toEqual(adminScopes)
  })

  it('are said in words', () => {
    expect(sayScopes(['portal:write', 'chat'])).toBe('Chat, Change the portal')
  })
})

describe('notices on the dashboard', () => {
  it('are none when all is well', () => {
    expect(toNotices([], [apiKey, { ...apiKey, expires_at: inDays(20) }], asOf)).toEqual([])
  })

  it('say which key, what is the matter and where to mend it; what is broken now comes first', () => {
    const soon: KeyConcern = { kind: 'expiring', credential: { ...credential, expiresAt: inDays(5) } }
    const failing: KeyConcern = {
      kind: 'failing',
      credential: { ...credential, failure: 'quota', label: 'Team' },
    }
    const notices = toNotices([failing, soon], [{ ...apiKey, expires_at: inDays(-1) }], asOf)
    expect(notices.map(({ tone, name, href }) => [tone, name, href])).toEqual([
      ['bad', 'OpenAI key ending 9e77 (Team)', '/vault'],
      ['bad', 'API key “Report”', '/keys'],
      ['warn', 'OpenAI key ending 9e77', '/vault'],
    ])
    expect(notices[0]?.words).toContain('quota')
    expect(notices[2]?.words).toBe('Ends in 5 days. Replace it before then.')
  })

  it('tell of an API key that ends within 14 days', () => {
    const [notice] = toNotices([], [{ ...apiKey, expires_at: inDays(2) }], asOf)
    expect(notice).toMatchObject({ tone: 'warn', words: expect.stringContaining('Ends in 2 days') })
  })
})

describe('the end of an API key', () => {
  it('is a day, or never', () => {
    expect(sayEnd(null, asOf)).toEqual({ tone: 'good', words: 'Never' })
    expect(sayEnd('2027-01-31T10:00:00.000Z', asOf)).toEqual({ tone: 'good', words: 'Jan 31, 2027' })
    expect(sayEnd(inDays(2), asOf)).toEqual({ tone: 'warn', words: 'Jun 17, 2026' })
    expect(sayEnd(inDays(-2), asOf)).toEqual({ tone: 'bad', words: 'Ended on Jun 13, 2026' })
  })
})
