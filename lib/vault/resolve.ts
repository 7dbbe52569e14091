import { type Actor, membershipOf } from '../auth'
import { type ResolutionStep, resolutionSources } from '../contracts/credentials'
import { Id } from '../contracts/primitives'
import type { ModelProvider } from '../contracts/projects'
import { db, sql } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { type CredentialRow, lastFour, toCredentialRecord, withOwner } from './records'

/** What a key is wanted for. Without a project, or without an actor, the narrower scopes are passed over. */
export type CredentialQuery = { projectId: string | null; provider: ModelProvider }

type Source = 'user' | 'project' | 'global' | 'environment' | 'demo'

/** Which key serves, without the key. */
export type ServingKey = {
  provider: 'openai' | 'openai-compatible' | 'demo'
  baseUrl: string
  last4: string | null
  source: Source
  credentialId: string | null
  label: string | null
  /** Which of the keys that were kept in this record, one after the other. */
  version?: number
  /** From then on it is not lent. */
  expiresAt?: Date
}

const typesFor: Record<ModelProvider, ('openai' | 'openai-compatible')[]> = {
  auto: ['openai', 'openai-compatible'],
  openai: ['openai'],
  'openai-compatible': ['openai-compatible'],
  demo: [],
}

const demo: ServingKey = {
  provider: 'demo',
  baseUrl: 'demo:',
  last4: null,
  source: 'demo',
  credentialId: null,
  label: null,
}

/** All keys that would do, in the order in which they are taken: the first one serves. Throws not_found for a stranger's project. */
export async function findServingKeys(actor: Actor | null, want: CredentialQuery): Promise<ServingKey[]> {
  const [stored] = await Promise.all([findStored(actor, want), requireMembership(actor, want.projectId)])
  const fromEnvironment = environmentKey(want.provider)
  const endsInDemo = want.provider === 'auto' || want.provider === 'demo'
  return [...stored, ...(fromEnvironment ? [fromEnvironment] : []), ...(endsInDemo ? [demo] : [])]
}

/**
 * Throws not_found unless the actor is a member of the project, and reaches it; outside of any project, for an API key
 * that is bound to one.
 */
export async function requireMembership(actor: Actor | null, projectId: string | null): Promise<void> {
  if (projectId === null && !actor?.boundTo) return
  const id = Id.safeParse(projectId).data
  if (actor && id && (await isMember(actor, id))) return
  throw new AppError('not_found', 'There is no such project, or it is not shared with you.')
}

async function isMember({ userId, boundTo }: Actor, projectId: string): Promise<boolean> {
  const found = await sql`
    SELECT 1 FROM project_members WHERE project_id = ${projectId}::uuid AND user_id = ${userId}::uuid
      AND project_id = coalesce(${boundTo}::uuid, project_id)`
  return found.length > 0
}

/** What an agent wants a key for; or what is asked for, with `auto` and no project where nothing is said. Throws not_found. */
export async function findWant(
  actor: Actor,
  about: { agentId?: string } | Partial<CredentialQuery>,
): Promise<CredentialQuery> {
  if (!('agentId' in about) || about.agentId === undefined)
    return { projectId: null, provider: 'auto', ...about }
  const id = Id.safeParse(about.agentId).data
  const mine = { project: { members: { some: membershipOf(actor) } } }
  const agent = id ? await db().agent.findFirst({ where: { id, ...mine } }) : null
  if (!agent) throw new AppError('not_found', 'There is no such agent, or it is not shared with you.')
  return { projectId: agent.projectId, provider: agent.modelProvider as ModelProvider }
}

/** The newest fitting credential of each scope. */
async function findStored(
  actor: Actor | null,
  { projectId, provider }: CredentialQuery,
): Promise<ServingKey[]> {
  const types = typesFor[provider]
  if (types.length === 0) return []
  const userId = actor?.userId ?? null
  const rows = await db().credential.findMany({
    where: {
      type: { in: types },
      AND: unexpired(),
      OR: [
        ...(userId ? [{ scope: 'user', userId }] : []),
        ...(userId && projectId
          ? [{ scope: 'project', projectId, project: { members: { some: { userId } } } }]
          : []),
        { scope: 'global' },
      ],
    },
    // The names of the scopes happen to stand in the right order when read backwards.
    orderBy: [{ scope: 'desc' }, { createdAt: 'desc' }, { id: 'desc' }],
    distinct: ['scope'],
    include: withOwner,
  })
  return rows.map(toServingKey)
}

function unexpired() {
  return { OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] }
}

/** A stored record as a key that may serve. */
export function toServingKey(row: CredentialRow): ServingKey {
  const record = toCredentialRecord(row)
  return {
    provider: record.credentialType === 'openai' ? 'openai' : 'openai-compatible',
    baseUrl: record.baseUrl,
    last4: record.last4 || null,
    source: record.scope,
    credentialId: record.id,
    label: record.label,
    version: row.version,
    ...(row.expiresAt && { expiresAt: row.expiresAt }),
  }
}

function environmentKey(provider: ModelProvider): ServingKey | null {
  const { OPENAI_API_KEY, OPENAI_BASE_URL } = env()
  if (!OPENAI_API_KEY || (provider !== 'auto' && provider !== 'openai')) return null
  return {
    provider: 'openai',
    baseUrl: OPENAI_BASE_URL,
    last4: lastFour(OPENAI_API_KEY) || null,
    source: 'environment',
    credentialId: null,
    label: null,
  }
}

/** What to say when no key would do. */
export function noKey(provider: ModelProvider): AppError {
  const message =
    provider === 'openai'
      ? "There is no OpenAI key for this agent. Add one in the vault, or choose the demo model in the agent's settings."
      : "There is no key of an OpenAI-compatible server for this agent. Add one in the vault, or choose the demo model in the agent's settings."
  return new AppError('provider_auth', message, { facts: { remedy: 'vault' } })
}

const nothingThere: Record<Source, string> = {
  user: 'You have no key of your own for this.',
  project: 'The project has no key for this.',
  global: 'There is no key for everyone.',
  environment: 'OPENAI_API_KEY is not set on the server.',
  demo: 'This agent never answers with the demo model.',
}

/** The order of the search as steps for people; the first that would do `serves`. */
export function describeSteps(keys: ServingKey[], want: CredentialQuery): ResolutionStep[] {
  return resolutionSources.map((source) =>
    source === 'papita_user' || source === 'papita_global'
      ? { source, status: 'off', detail: describePapita() }
      : describeStep(source, keys, want),
  )
}

function describeStep(source: Source, keys: ServingKey[], want: CredentialQuery): ResolutionStep {
  const key = keys.find((candidate) => candidate.source === source)
  if (key) return { source, status: key === keys[0] ? 'serves' : 'available', detail: describeKey(key) }
  if (want.provider === 'demo') return { source, status: 'off', detail: 'Not needed for the demo model.' }
  if (source === 'project' && want.projectId === null) {
    return { source, status: 'off', detail: 'Only for agents of a project that has a key.' }
  }
  if (source === 'environment' && want.provider === 'openai-compatible') {
    return { source, status: 'off', detail: 'The key in OPENAI_API_KEY is for OpenAI only.' }
  }
  return { source, status: source === 'demo' ? 'off' : 'empty', detail: nothingThere[source] }
}

function describePapita(): string {
  return env().PAPITA_API_URL
    ? 'PAPITA_API_URL is set, but this version does not ask Papita yet.'
    : 'PAPITA_API_URL is not set.'
}

function describeKey({ provider, baseUrl, last4, label }: ServingKey): string {
  if (provider === 'demo') return 'The demo model: scripted, offline, not an AI.'
  const name = provider === 'openai' ? 'OpenAI' : new URL(baseUrl).host
  const ending = last4 ? ` ending ${last4}` : ''
  return `${name} key${ending}${label ? ` (${label})` : ''}`
}
