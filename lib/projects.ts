import type { Actor } from './auth'
import type { Listing } from './contracts/primitives'
import type {
  CreateProject,
  LaunchableAgent,
  ModelProvider,
  ProjectRecord,
  UpdateProject,
} from './contracts/projects'
import { db } from './db'
import { AppError } from './errors'
import { after, cursorOf, newestFirst, type PageRequest, readCursor, toListing } from './paging'
import { changeProject, memberOf } from './projects/access'
import { insertProject } from './projects/own'
import { toProjectRecord, withRole } from './projects/records'

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
export { ensureChatAgent, ensureDefaultAgent } from './projects/own'
export { createPrompt, deletePrompt, getPrompt, listPrompts, updatePrompt } from './projects/prompts'
export { getProject } from './projects/single'

/** Makes a project; its maker is its owner. Throws forbidden for an API key that is bound to another. */
export async function createProject(actor: Actor, input: CreateProject): Promise<ProjectRecord> {
  if (actor.boundTo !== null) {
    throw new AppError('forbidden', 'This API key is bound to one project and cannot make another.')
  }
  return db().$transaction((tx) => insertProject(tx, actor, input))
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
      createdAt: true,
      project: { select: { id: true, name: true } },
    },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: maxLaunchable,
  })
  return agents.map(({ project, modelProvider, modelName, createdAt, ...agent }) => ({
    ...agent,
    project_id: project.id,
    project_name: project.name,
    model_provider: modelProvider as ModelProvider,
    model_name: modelName,
    created_at: createdAt.toISOString(),
  }))
}
