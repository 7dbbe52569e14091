import { type Actor, membershipOf } from '../auth'
import type { CredentialFailure, CredentialType } from '../contracts/credentials'
import { Id } from '../contracts/primitives'
import type { ModelProvider } from '../contracts/projects'
import { db, sql } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { askPapita, isPapitaFor, keyIn, type PapitaAnswers } from './papita'
import { type CredentialRow, lastFour, toCredentialRecord, withOwner } from './records'

/** `any` is for who speaks every provider's language: it finds the keys of all kinds, `auto` those that any agent takes. */
export type WantedProvider = ModelProvider | 'any'

/** What a key is wanted for. Without a project, or without an actor, the narrower scopes are passed over. */
export type CredentialQuery = { projectId: string | null; provider: WantedProvider }

type Source = 'papita' | 'user' | 'project' | 'global' | 'environment' | 'demo'

/** Which key serves, without the key. */
export type ServingKey = {
  provider: 'openai' | 'openai-compatible' | 'anthropic' | 'demo'
  baseUrl: string
  last4: string | null
  source: Source
  credentialId: string | null
  label: string | null
  /** Which of the keys that were kept in this record, one after the other. */
  version?: number
  /** From then on it is not lent. */
  expiresAt?: Date
  /** What was last said against it, if anything. It is tried all the same: what was wrong may be mended. */
  failure?: CredentialFailure
}

const typesFor: Record<WantedProvider, CredentialType[]> = {
  auto: ['openai', 'openai-compatible'],
  openai: ['openai'],
  'openai-compatible': ['openai-compatible'],
  anthropic: ['anthropic'],
  any: ['openai', 'openai-compatible', 'anthropic'],
  demo: [],
}

/** Where no key of the house serves, the demo model answers. */
const endingInDemo: WantedProvider[] = ['auto', 'any', 'demo']

/** For whom `OPENAI_API_KEY` will do. */
const takingOpenai: WantedProvider[] = ['auto', 'any', 'openai']

const demo: ServingKey = {
  provider: 'demo',
  baseUrl: 'demo:',
  last4: null,
  source: 'demo',
  credentialId: null,
  label: null,
}

/** The keys that would do, in the order in which they are taken, and what Papita said where it was asked. */
type FoundKeys = { papita: PapitaAnswers; keys: ServingKey[] }

/**
 * All keys that would do, Papita's before those of this house: the first one serves. A visitor (null) is told of what
 * serves everyone. Throws not_found for a stranger's project, which Papita does not hear of then.
 */
export async function findServingKeys(actor: Actor | null, want: CredentialQuery): Promise<FoundKeys> {
  const [papita, own] = await Promise.all([findInPapita(actor, want), findOwnKeys(actor, want)])
  const apiKey = keyIn(papita)
  return { papita, keys: apiKey === null ? own : [papitaKey(apiKey), ...own] }
}

/** What Papita says of keys for a call like this. Throws not_found for a stranger's project. */
export async function findInPapita(
  actor: Actor | null,
  { projectId, provider }: CredentialQuery,
): Promise<PapitaAnswers> {
  if (!isPapitaFor(provider)) return { user: null, global: null }
  await requireMembership(actor, projectId)
  return askPapita({ username: actor?.email ?? null, projectId })
}

/** A key of Papita's goes where OpenAI's keys go on this server, and nowhere else. */
export function papitaKey(apiKey: string): ServingKey {
  return {
    provider: 'openai',
    baseUrl: env().OPENAI_BASE_URL,
    last4: lastFour(apiKey) || null,
    source: 'papita',
    credentialId: null,
    label: null,
  }
}

/** The keys of this house that would do, in the order in which they are taken. Throws not_found for a stranger's project. */
export async function findOwnKeys(actor: Actor | null, want: CredentialQuery): Promise<ServingKey[]> {
  const [stored] = await Promise.all([findStored(actor, want), requireMembership(actor, want.projectId)])
  const fromEnvironment = environmentKey(want.provider)
  const endsInDemo = endingInDemo.includes(want.provider)
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

/** The newest fitting credential of each scope; for `any`, of each kind in it. */
async function findStored(
  actor: Actor | null,
  { projectId, provider }: CredentialQuery,
): Promise<ServingKey[]> {
  const types = typesFor[provider]
  if (types.length === 0) return []
  const rows = await db().credential.findMany({
    where: {
      type: { in: types },
      AND: unexpired(),
      OR: inReach(actor, projectId),
    },
    // The names of the scopes happen to stand in the right order when read backwards.
    orderBy: [{ scope: 'desc' }, { createdAt: 'desc' }, { id: 'desc' }],
    distinct: provider === 'any' ? ['scope', 'type'] : ['scope'],
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
    provider: record.credentialType,
    baseUrl: record.baseUrl,
    last4: record.last4 || null,
    source: record.scope,
    credentialId: record.id,
    label: record.label,
    version: row.version,
    ...(row.expiresAt && { expiresAt: row.expiresAt }),
    ...(row.failure && { failure: row.failure as CredentialFailure }),
  }
}

/** The scopes in which the actor's calls find keys. */
function inReach(actor: Actor | null, projectId: string | null) {
  const everyones = { scope: 'global' }
  if (!actor) return [everyones]
  const { userId } = actor
  const projects = { scope: 'project', project: { members: { some: { userId } } } }
  return [{ scope: 'user', userId }, ...(projectId ? [{ ...projects, projectId }] : []), everyones]
}

/** The scopes in which there is a fitting credential whose time is over. */
export async function findExpiredScopes(
  actor: Actor,
  { projectId, provider }: CredentialQuery,
): Promise<Set<string>> {
  const rows = await db().credential.findMany({
    where: {
      type: { in: typesFor[provider] },
      expiresAt: { lte: new Date() },
      OR: inReach(actor, projectId),
    },
    distinct: ['scope'],
    select: { scope: true },
  })
  return new Set(rows.map(({ scope }) => scope))
}

function environmentKey(provider: WantedProvider): ServingKey | null {
  const { OPENAI_API_KEY, OPENAI_BASE_URL } = env()
  if (!OPENAI_API_KEY || !takingOpenai.includes(provider)) return null
  return {
    provider: 'openai',
    baseUrl: OPENAI_BASE_URL,
    last4: lastFour(OPENAI_API_KEY) || null,
    source: 'environment',
    credentialId: null,
    label: null,
  }
}

const missingKinds: Partial<Record<WantedProvider, string>> = {
  openai: 'OpenAI key',
  anthropic: 'Anthropic key',
}

/** What to say when no key would do. */
export function noKey(provider: WantedProvider): AppError {
  const kind = missingKinds[provider] ?? 'key of an OpenAI-compatible server'
  const message = `There is no ${kind} for this agent. Add one in the vault, or choose the demo model in the agent's settings.`
  return new AppError('provider_auth', message, { facts: { remedy: 'vault' } })
}
