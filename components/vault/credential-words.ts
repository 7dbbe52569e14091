import type { Tone } from '@/components/ui/status'
import type {
  CredentialFailure,
  CredentialTest,
  CredentialType,
  CredentialView,
  ResolutionStep,
} from '@/lib/contracts/credentials'

/** The providers by the names that people know them by. */
export const providerNames: Record<CredentialType, string> = {
  openai: 'OpenAI',
  'openai-compatible': 'OpenAI-compatible',
  anthropic: 'Anthropic',
}

/** Where each step of the resolution looks. */
export const sourceNames: Record<ResolutionStep['source'], string> = {
  papita_user: 'Your key in Papita',
  papita_global: 'Papita’s key for everyone',
  user: 'Your own keys',
  project: 'The project’s keys',
  global: 'Everyone’s keys',
  environment: 'The server’s environment',
  demo: 'Demo model',
}

/** Whose key it is, in the reader's words. */
export function sayOwner(
  { scope, projectId }: Pick<CredentialView, 'scope' | 'projectId'>,
  projectNames: Record<string, string>,
): string {
  if (scope === 'global') return 'Everyone'
  if (scope === 'project') return (projectId && projectNames[projectId]) || 'A project'
  return 'You'
}

/** The key as it may be spoken of, such as `OpenAI key ending 9e77`. */
export function sayKey({ credentialType, last4 }: Pick<CredentialView, 'credentialType' | 'last4'>): string {
  return `${providerNames[credentialType]} key${last4 ? ` ending ${last4}` : ''}`
}

/** `https://api.openai.com/v1` as `api.openai.com/v1`; plain http keeps its scheme, since that matters. */
export function sayAddress(baseUrl: string): string {
  return baseUrl.replace(/^https:\/\//, '')
}

/** What is known of a key, in a few words, and since when. */
export type KeyState = { tone: Tone; words: string; since?: string | null }

const dayMs = 24 * 60 * 60 * 1000

/** So many days before a key ends, the page begins to say so. */
const soonDays = 14

const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' })

/** The day in UTC, such as `Mar 3, 2027`. */
export function sayDay(at: string): string {
  return day.format(new Date(at))
}

const failures: Record<CredentialFailure, string> = {
  refused: 'The provider refuses it. Replace it.',
  quota: 'No quota left. Add credit at the provider.',
  unreachable: 'Its address does not answer.',
  wrong_api: 'Its address answers, but not as a model provider does.',
  not_allowed: 'This server may not call its address.',
}

/** What is wrong with a key that fails, and what to do. */
export function sayFailure(failure: CredentialFailure): string {
  return failures[failure]
}

/** The key of a step, with what is wrong with it. */
export function sayStep({ detail, failure }: Pick<ResolutionStep, 'detail' | 'failure'>): string {
  return failure ? `${detail}. ${sayFailure(failure)}` : detail
}

/** How long is left until a key ends, from `asOf` on; null if that is long, or it has ended, or does not end. */
export function sayEndsSoon(expiresAt: string | null, asOf: string): string | null {
  const leftMs = expiresAt ? Date.parse(expiresAt) - Date.parse(asOf) : Number.POSITIVE_INFINITY
  if (leftMs <= 0 || leftMs > soonDays * dayMs) return null
  const days = Math.floor(leftMs / dayMs)
  if (days === 0) return 'Ends within a day'
  return `Ends in ${days} ${days === 1 ? 'day' : 'days'}`
}

/** What the vault knows of a key by itself, at the moment `asOf`: that it has ended, fails, ends soon, or was used. */
export function sayKeyState(
  {
    expiresAt,
    failure,
    failedAt,
    lastUsedAt,
  }: Pick<CredentialView, 'expiresAt' | 'failure' | 'failedAt' | 'lastUsedAt'>,
  asOf: string,
): KeyState {
  if (expiresAt && expiresAt <= asOf)
    return { tone: 'bad', words: 'It has ended and is not used. Replace it.' }
  if (failure) return { tone: 'bad', words: sayFailure(failure), since: failedAt }
  const soon = sayEndsSoon(expiresAt, asOf)
  if (soon) return { tone: 'warn', words: soon }
  return lastUsedAt ? { tone: 'good', words: 'No failure known' } : { tone: 'idle', words: 'Not used yet' }
}

/** What a test of a key came to. */
export function sayTest({ ok, models, latency_ms, error }: CredentialTest): KeyState {
  if (!ok) return { tone: 'bad', words: error ?? 'The provider refused it without saying why.' }
  const count = models === undefined ? '' : `, ${models} ${models === 1 ? 'model' : 'models'}`
  return { tone: 'good', words: `Works${count} (${Math.round(latency_ms)} ms)` }
}
