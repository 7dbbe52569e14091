import { v7 as newId } from 'uuid'
import type { Actor } from '../auth'
import { type AgentRecord, CreateAgent, CreateProject, type ProjectRecord } from '../contracts/projects'
import { db, type Transaction } from '../db'
import { AppError } from '../errors'
import { memberOf } from './access'
import { insertAgent } from './agents'
import { toAgentRecord, toProjectRecord, withRole } from './records'

/** Writes a new project, whose owner is the actor. */
export async function insertProject(
  tx: Transaction,
  actor: Actor,
  input: CreateProject,
): Promise<ProjectRecord> {
  const createdAt = new Date()
  const project = await tx.project.create({
    data: {
      id: newId(),
      ...input,
      createdAt,
      members: { create: { userId: actor.userId, role: 'owner', createdAt } },
    },
    include: withRole(actor.userId),
  })
  return toProjectRecord(project)
}

const plainName = 'AL-Chat'
const ownName = 'Personal'
// Any constant serves; with the user it names the lock that is taken while a first agent is made.
const firstAgentLock = 4_711_002

type Reads = Pick<Transaction, 'agent'>
type Find = (client: Reads, actor: Actor) => Promise<AgentRecord | null>

/** The actor's first agent; who has none gets the project "Personal" with the agent "AL-Chat", once under any race. */
export function ensureDefaultAgent(actor: Actor): Promise<AgentRecord> {
  return ensureAgent(actor, findFirstAgent)
}

/**
 * The agent that answers who names none: the actor's own "AL-Chat", made when it is first needed; through a key that is
 * bound to a project, the one of that name there, else the first. Throws not_found where that project has none.
 */
export async function ensureChatAgent(actor: Actor): Promise<AgentRecord> {
  if (actor.boundTo === null) return ensureAgent(actor, findPlainAgent)
  const bound = (await findNamedAgent(db(), actor)) ?? (await findFirstAgent(db(), actor))
  if (!bound) throw new AppError('not_found', 'The project of this API key has no agent that could answer.')
  return bound
}

async function ensureAgent(actor: Actor, find: Find): Promise<AgentRecord> {
  const known = await find(db(), actor)
  if (known) return known
  return db().$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${firstAgentLock}::int, hashtext(${actor.userId}))`
    const made = await find(tx, actor)
    if (made) return made
    const { id } = await ensureOwnProject(tx, actor)
    return insertAgent(tx, actor, id, CreateAgent.parse({ name: plainName }))
  })
}

async function ensureOwnProject(tx: Transaction, actor: Actor): Promise<{ id: string }> {
  const own = { name: ownName, members: { some: { userId: actor.userId, role: 'owner' } } }
  const known = await tx.project.findFirst({ where: own, orderBy: oldestFirst, select: { id: true } })
  return known ?? insertProject(tx, actor, CreateProject.parse({ name: ownName }))
}

const oldestFirst = [{ createdAt: 'asc' as const }, { id: 'asc' as const }]

const findFirstAgent: Find = async (client, actor) => {
  const agent = await client.agent.findFirst({ where: { project: memberOf(actor) }, orderBy: oldestFirst })
  return agent && toAgentRecord(agent)
}

const findNamedAgent: Find = async (client, actor) => {
  const where = { name: plainName, project: memberOf(actor) }
  const agent = await client.agent.findFirst({ where, orderBy: oldestFirst })
  return agent && toAgentRecord(agent)
}

/** Only in a project of the actor's: what others call AL-Chat may be anything. */
const findPlainAgent: Find = async (client, { userId }) => {
  const own = { members: { some: { userId, role: 'owner' } } }
  const agent = await client.agent.findFirst({
    where: { name: plainName, project: own },
    orderBy: oldestFirst,
  })
  return agent && toAgentRecord(agent)
}
