import type { Actor } from '../auth'
import { type ResolutionStep, resolutionSources } from '../contracts/credentials'
import { env } from '../env'
import type { PapitaAnswer } from './papita-answer'
import {
  type CredentialQuery,
  findExpiredScopes,
  findServingKeys,
  papitaKey,
  type ServingKey,
  type WantedProvider,
} from './resolve'

/** Whose search it is, for what, and whether it is told to that user, who may know all endings and labels. */
export type Search = { subject: Actor; want: CredentialQuery; isTheirs: boolean }

type Source = ResolutionStep['source']
type Said = Omit<ResolutionStep, 'source'>

/** The order of the search as steps for people; the first that would do `serves`. Throws not_found for a stranger's project. */
export async function explainSearch(search: Search): Promise<ResolutionStep[]> {
  const { subject, want } = search
  const [{ papita, keys }, expired] = await Promise.all([
    findServingKeys(subject, want),
    findExpiredScopes(subject, want),
  ])
  const say = (source: Source): Said => {
    if (source === 'papita_user') return sayPapita(search, source, papita.user)
    if (source === 'papita_global') return sayPapita(search, source, papita.global)
    return sayOwn(search, source, { keys, expired })
  }
  return resolutionSources.map((source) => ({ source, ...say(source) }))
}

/** Such an agent takes no key of OpenAI's. */
function isElsewhere(provider: WantedProvider): boolean {
  return provider === 'openai-compatible' || provider === 'anthropic'
}

type PapitaSource = 'papita_user' | 'papita_global'

function sayPapita(search: Search, source: PapitaSource, answer: PapitaAnswer | null): Said {
  const { provider } = search.want
  if (provider === 'demo') return { status: 'off', detail: 'Not needed for the demo model.' }
  if (!env().PAPITA_API_URL) return { status: 'off', detail: 'PAPITA_API_URL is not set.' }
  if (isElsewhere(provider)) {
    return { status: 'off', detail: 'Papita is asked for keys of OpenAI only.' }
  }
  if (answer === null) {
    return { status: 'unasked', detail: 'Papita was not asked for it: the key before it serves.' }
  }
  if (answer.kind === 'failed') return { status: 'failed', detail: sayFailure(answer) }
  if (answer.kind === 'none') return { status: 'empty', detail: sayNothing(search, source) }
  return { status: 'serves', detail: sayKey(papitaKey(answer.apiKey), mayKnow(search, source)) }
}

function sayFailure({ why, isSilent }: PapitaAnswer & { kind: 'failed' }): string {
  return isSilent ? `${why} Until it does, the next key serves.` : `${why} The next key serves.`
}

type OwnSource = Exclude<Source, PapitaSource>
type Own = { keys: ServingKey[]; expired: Set<string> }

function sayOwn(search: Search, source: OwnSource, { keys, expired }: Own): Said {
  const { want } = search
  const key = keys.find((candidate) => candidate.source === source)
  if (key) {
    const status = key === keys[0] ? 'serves' : 'available'
    const isAllTold = mayKnow(search, source)
    const failing = isAllTold && key.failure ? { failure: key.failure } : {}
    return { status, detail: sayKey(key, isAllTold), ...failing }
  }
  if (want.provider === 'demo') return { status: 'off', detail: 'Not needed for the demo model.' }
  if (source === 'project' && want.projectId === null) {
    return { status: 'off', detail: 'Only for agents of a project that has a key.' }
  }
  if (source === 'environment' && isElsewhere(want.provider)) {
    return { status: 'off', detail: 'The key in OPENAI_API_KEY is for OpenAI only.' }
  }
  if (expired.has(source)) return { status: 'expired', detail: 'The time of every key here is over.' }
  return { status: source === 'demo' ? 'off' : 'empty', detail: sayNothing(search, source) }
}

const nothingThere: Record<Exclude<Source, 'user' | 'papita_user'>, string> = {
  papita_global: 'Papita has no key for everyone.',
  project: 'The project has no key for this.',
  global: 'There is no key for everyone.',
  environment: 'OPENAI_API_KEY is not set on the server.',
  demo: 'This agent never answers with the demo model.',
}

function sayNothing({ isTheirs }: Search, source: Source): string {
  const account = isTheirs ? 'you' : 'this account'
  if (source === 'papita_user') return `Papita has no key for ${account}.`
  if (source !== 'user') return nothingThere[source]
  return isTheirs ? 'You have no key of your own for this.' : 'This account has no key of its own for this.'
}

/** Of another user's own keys, and of those of a project, an admin hears only that there is one. */
function mayKnow({ isTheirs }: Search, source: Source): boolean {
  return isTheirs || !['papita_user', 'user', 'project'].includes(source)
}

function sayKey({ provider, baseUrl, last4, label }: ServingKey, isAllTold: boolean): string {
  if (provider === 'demo') return 'The demo model: scripted, offline, not an AI.'
  const host = isAllTold ? new URL(baseUrl).host : 'OpenAI-compatible'
  const name = { openai: 'OpenAI', anthropic: 'Anthropic', 'openai-compatible': host }[provider]
  const ending = last4 && isAllTold ? ` ending ${last4}` : ''
  return `${name} key${ending}${label && isAllTold ? ` (${label})` : ''}`
}
