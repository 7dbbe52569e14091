import type { Actor } from '../auth'
import type { ProjectRecord } from '../contracts/projects'
import { db } from '../db'
import { memberOf, notFound, requireId } from './access'
import { toProjectRecord, withRole } from './records'

/** A project that the actor is a member of, with the actor's role in it. Throws not_found. */
export async function getProject(actor: Actor, projectId: string): Promise<ProjectRecord> {
  const project = await db().project.findFirst({
    where: { id: requireId(projectId, 'project'), ...memberOf(actor) },
    include: withRole(actor.userId),
  })
  if (!project) throw notFound('project')
  return toProjectRecord(project)
}
