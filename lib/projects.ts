import { v7 as newId } from 'uuid'
import type { Actor } from './auth'
import type { Listing } from './contracts/primitives'
import {
  type AgentRecord,
  CreateAgent,
  CreateProject,
  type LaunchableAgent,
  type ModelProvider,
  type ProjectRecord,
  type UpdateProject,
} from './contracts/projects'
import { db, type Transaction } from './db'
import { AppError } from './errors'
import { after, cursorOf, newestFirst, type PageRequest, readCursor, toListing } from './paging'
import { changeProject, memberOf } from './projects/access'
import { insertAgent } from './projects/agents'
import { toAgentRecord, toProjectRecord, withRole } from './projects/records'

export {
  createAgent,
  deleteAgent,
  getAgent,
  listAgents,
  listAgentVersions,
  restoreAgentVersion,
  updateAgent,
} from './projects/agents'
export { deleteProject } from './projects/deletion'
export { addMember, listMembers, removeMember, updateMember } from './projects/members'
export { createPrompt, deletePrompt, getPrompt, listPrompts, updatePrompt } from './projects/prompts'
export { getProject } from './projects/single'

/** Makes a project; its maker is its owner. Throws forbidden for an API key that is bound to another. */
export async function createProject(actor: Actor, input: CreateProject): Promise<ProjectRecord> {
  if (actor.boundTo !== null) {
    throw new AppError('forbidden', 'This API key is bound to one project and cannot make another.')
  }
  return db().$transaction((tx) => insertProject(tx, actor, input))
}

async function insertProject(tx: Transaction, actor: Actor, input: CreateProject): Promise<ProjectRecord> {
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

/** The projects that the actor is a member of, newest first. Throws invalid_input for a bad cursor. */
export async function listProjects(
  actor: Actor,
  page: PageRequest = { limit: 100 },
): Promise<Listing<ProjectRecord>> {
  const rows = await db().project.findMany({
    where: { ...memberOf(actor), ...after(readCursor(page.cursor)) },
    include: withRole(actor.userId),
    orderBy: newestFirst,
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, { record: toProjectRecord, cursor: cursorOf })
}

/** Changes what is given. Throws not_found, forbidden. */
export async function updateProject(
  actor: Actor,
  projectId: string,
  input: UpdateProject,
): Promise<ProjectRecord> {
  return changeProject(actor, projectId, 'editor', async (tx) => {
    const project = await tx.project.update({
      where: { id: projectId },
      data: { name: input.name, description: input.description },
      include: withRole(actor.userId),
    })
    return toProjectRecord(project)
  })
}

const maxLaunchable = 500

/** The agents that the actor can talk to, oldest first, at most 500, without their long texts. */
export async function listLaunchableAgents(actor: Actor): Promise<LaunchableAgent[]> {
  const agents = await db().agent.findMany({
    where: { project: memberOf(actor) },
    select: {
      id: true,
      name: true,
      description: true,
      modelProvider: true,
      modelName: true,
      project: { select: { id: true, name: true } },
    },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: maxLaunchable,
  })
  return agents.map(({ project, modelProvider, modelName, ...agent }) => ({
    ...agent,
    project_id: project.id,
    project_name: project.name,
    model_provider: modelProvider as ModelProvider,
    model_name: modelName,
  }))
}

// Any constant serves; with the user it names the lock that is taken while a first agent is made.
const firstAgentLock = 4_711_002

/** The actor's first agent; who has none gets the project "Personal" with the agent "AL-Chat", once under any race. */
export async function ensureDefaultAgent(actor: Actor): Promise<AgentRecord> {
  const known = await findFirstAgent(db(), actor)
  if (known) return known
  return db().$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${firstAgentLock}::int, hashtext(${actor.userId}))`
    const made = await findFirstAgent(tx, actor)
    if (made) return made
    const project = await insertProject(tx, actor, CreateProject.parse({ name: 'Personal' }))
    return insertAgent(tx, actor, project.id, CreateAgent.parse({ name: 'AL-Chat' }))
  })
}

async function findFirstAgent(client: Pick<Transaction, 'agent'>, actor: Actor): Promise<AgentRecord | null> {
  const agent = await client.agent.findFirst({
    where: { project: memberOf(actor) },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  })
  return agent && toAgentRecord(agent)
}
