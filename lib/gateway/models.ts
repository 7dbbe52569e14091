import type { Actor } from '../auth'
import { isModelAllowed } from '../contracts/keys'
import type { LaunchableAgent } from '../contracts/projects'
import { asAppError } from '../errors'
import { getAgent, listLaunchableAgents } from '../projects'
import { forwardCall } from '../providers'
import { type LentKey, lendKey, listLentKeys, noteOutcome } from '../vault'
import { passHeaders, passRequestHeaders } from './headers'
import { findModels, type ListedModel, type ModelList } from './model-lists'
import { noModel } from './question'
import { type Refused, readRefused } from './refused'
import { readAnswer } from './whole'

const agentPrefix = 'agent:'
const maxModelBytes = 256 * 1024
const timeouts = { connectMs: 5000, firstByteMs: 10_000, idleMs: 5000, totalMs: 20_000 }

/** What answers where there is no key; as old as the product. */
const demo = { id: 'demo', object: 'model', created: Date.UTC(2026, 10, 21) / 1000, owned_by: 'al-chat' }

/**
 * The models that the actor may name, as OpenAI lists them: those of all keys that serve, each once and as its server
 * wrote it, then the actor's agents, 500 at most. What is just one server's list goes on byte for byte. A server that
 * does not answer within 5 s is left out, unless none does. Throws provider_failed, provider_timeout, provider_auth.
 */
export async function listModels(actor: Actor): Promise<Response> {
  const keys = await findKeys(actor)
  const [lists, agents] = await Promise.all([askAll(keys), listAgents(actor)])
  if ('tell' in lists) return lists.tell()
  const served = keys.length === 0 ? [listed(demo)] : lists.flatMap(({ models }) => models)
  const allowed = served.filter(({ id }) => isModelAllowed(actor.policy, id))
  const [only, another] = lists
  const isUnchanged = agents.length === 0 && allowed.length === served.length
  if (only?.isWhole && !another && isUnchanged) return answer(only.text, only.headers)
  const texts = distinct([...allowed, ...agents]).map(({ text }) => text)
  return answer(`{"object":"list","data":[${texts.join()}]}`)
}

/**
 * One model by the name that calls have for it: an agent of the actor's, or what the server that lists it says.
 * Throws not_found, and as `listModels`.
 */
export async function getModel(actor: Actor, name: string, request: Request): Promise<Response> {
  if (name.startsWith(agentPrefix)) return answer(listed(await findAgent(actor, name)).text)
  if (!isModelAllowed(actor.policy, name)) throw noModel(name)
  const keys = await findKeys(actor)
  const { key, model } = await findServer(keys, name)
  if (key?.provider === 'anthropic') {
    if (model) return answer(model.text)
    throw noModel(name)
  }
  if (key) return lendKey(key, (lent) => askFor(lent, name, request))
  if (name !== demo.id) throw noModel(name)
  return answer(listed(demo).text)
}

async function findKeys(actor: Actor): Promise<LentKey[]> {
  const keys = await listLentKeys(actor, { projectId: actor.boundTo, provider: 'any' })
  return keys.filter(({ provider }) => provider !== 'demo')
}

/** What the servers list; where none does, what the first one refused. Throws what the first one failed with. */
async function askAll(keys: LentKey[]): Promise<ModelList[] | Refused> {
  const asked = await Promise.allSettled(keys.map(findModels))
  const lists = asked.flatMap((one) =>
    one.status === 'fulfilled' && !('tell' in one.value) ? [one.value] : [],
  )
  const [first] = asked
  if (lists.length > 0 || !first) return lists
  if (first.status === 'rejected') throw first.reason
  return 'tell' in first.value ? first.value : lists
}

type Server = { key?: LentKey | undefined; model?: ListedModel | undefined }

/** The first server that lists the model; where none does, the first one says so in its own words. */
async function findServer(keys: LentKey[], name: string): Promise<Server> {
  const others = keys.filter(({ provider }) => provider !== 'anthropic')
  if (keys.length === 1 && others.length === 1) return { key: keys[0] }
  const asked = await Promise.allSettled(keys.map(findModels))
  const listing = asked.map((one) => {
    if (one.status === 'rejected' || 'tell' in one.value) return undefined
    return one.value.models.find(({ id }) => id === name)
  })
  const at = listing.findIndex((model) => model !== undefined)
  return at === -1 ? { key: others[0] ?? keys[0] } : { key: keys[at], model: listing[at] }
}

async function askFor(key: LentKey, name: string, request: Request): Promise<Response> {
  try {
    const given = await forwardCall({
      key,
      method: 'GET',
      path: `/models/${name.split('/').map(encodeURIComponent).join('/')}`,
      headers: passRequestHeaders(request),
      timeouts,
      signal: request.signal,
      tap: { chunk: () => false, over: () => undefined },
    })
    if (given.status >= 400) return (await readRefused(key, given)).tell()
    return answer((await readAnswer(given, maxModelBytes)).text, passHeaders(given.headers))
  } catch (error) {
    void noteOutcome(key, error)
    throw error
  }
}

async function listAgents(actor: Actor): Promise<ListedModel[]> {
  const agents = await listLaunchableAgents(actor)
  return agents.filter((agent) => mayUse(actor, agent)).map((agent) => listed(toModel(agent)))
}

async function findAgent(actor: Actor, name: string): Promise<object> {
  const agent = await getAgent(actor, name.slice(agentPrefix.length)).catch((error: unknown) => {
    throw asAppError(error).code === 'not_found' ? noModel(name) : error
  })
  if (!mayUse(actor, agent)) throw noModel(name)
  return toModel(agent)
}

type NamedAgent = Pick<LaunchableAgent, 'id' | 'name' | 'model_name' | 'created_at'>

/** A key that may use an agent's model may use the agent. */
function mayUse({ policy }: Actor, { id, model_name: model }: NamedAgent): boolean {
  return isModelAllowed(policy, agentPrefix + id) || isModelAllowed(policy, model)
}

function toModel({ id, name, created_at: createdAt }: NamedAgent) {
  const created = Math.floor(Date.parse(createdAt) / 1000)
  return { id: agentPrefix + id, object: 'model', created, owned_by: 'al-chat', name }
}

function listed(model: object & { id?: string }): ListedModel {
  return { id: String(model.id), text: JSON.stringify(model) }
}

function distinct(models: ListedModel[]): ListedModel[] {
  const byId = new Map<string, ListedModel>()
  for (const model of models) if (!byId.has(model.id)) byId.set(model.id, model)
  return [...byId.values()]
}

function answer(text: string, headers = new Headers()): Response {
  const own = new Headers(headers)
  own.set('content-type', 'application/json')
  return new Response(text, { headers: own })
}
