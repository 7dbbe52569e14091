import { type Actor, membershipOf } from '../auth'
import { Id } from '../contracts/primitives'
import type { ProjectRole } from '../contracts/projects'
import { db, type Transaction } from '../db'
import { AppError } from '../errors'

/*
 * Locks are taken in one order everywhere: rows of members, the project, its agents, what is in them.
 * So a deletion, which takes all of them, waits for changes under way and never meets one head-on.
 */

const rank: Record<ProjectRole, number> = { viewer: 0, editor: 1, owner: 2 }

/** A where clause for projects that the actor is a member of. An admin's role gives no right to others' projects. */
export function memberOf(actor: Actor) {
  return { members: { some: membershipOf(actor) } }
}

/** The id, if it is one; anything else names a thing that is not there. */
export function requireId(id: string, noun: string): string {
  if (!Id.safeParse(id).success) throw notFound(noun)
  return id
}

/** The id of a project, if it is one that the actor's key may reach. Throws not_found. */
export function requireReach({ boundTo }: Actor, projectId: string): string {
  if (boundTo !== null && boundTo !== projectId) throw notFound('project')
  return requireId(projectId, 'project')
}

/** `There is no such agent, or it is not yours.` */
export function notFound(noun: string): AppError {
  return new AppError('not_found', `There is no such ${noun}, or it is not shared with you.`)
}

/** Throws not_found for strangers, forbidden for members whose role does not reach. */
export function requireRole(role: string | undefined, needed: ProjectRole, noun: string): ProjectRole {
  if (role === undefined) throw notFound(noun)
  const held = role as ProjectRole
  if (rank[held] < rank[needed]) {
    throw new AppError('forbidden', `Your role in this project is ${held}; this takes ${article(needed)}.`)
  }
  return held
}

function article(role: ProjectRole): string {
  return role === 'viewer' ? 'a viewer' : `an ${role}`
}

type RoleRow = { role: string }

/** Runs a change in a project while the actor's role is held fast. Throws not_found, forbidden. */
export async function changeProject<T>(
  actor: Actor,
  projectId: string,
  needed: ProjectRole,
  change: (tx: Transaction) => Promise<T>,
): Promise<T> {
  requireReach(actor, projectId)
  return db().$transaction(async (tx) => {
    const [member] = await tx.$queryRaw<RoleRow[]>`
      SELECT role FROM project_members
      WHERE project_id = ${projectId}::uuid AND user_id = ${actor.userId}::uuid FOR SHARE`
    requireRole(member?.role, needed, 'project')
    return change(tx)
  })
}

/** Runs a change of an agent, which is locked, so that concurrent changes take turns. Throws not_found, forbidden. */
export async function changeAgent<T>(
  actor: Actor,
  agentId: string,
  change: (tx: Transaction) => Promise<T>,
): Promise<T> {
  requireId(agentId, 'agent')
  return db().$transaction(async (tx) => {
    const [member] = await tx.$queryRaw<RoleRow[]>`
      SELECT m.role FROM agents a JOIN project_members m ON m.project_id = a.project_id
      WHERE a.id = ${agentId}::uuid AND m.user_id = ${actor.userId}::uuid
        AND m.project_id = coalesce(${actor.boundTo}::uuid, m.project_id) FOR SHARE OF m`
    requireRole(member?.role, 'editor', 'agent')
    const locked = await tx.$queryRaw<unknown[]>`SELECT 1 FROM agents WHERE id = ${agentId}::uuid FOR UPDATE`
    if (locked.length === 0) throw notFound('agent')
    return change(tx)
  })
}

/** Runs a change of a prompt, which is locked. Throws not_found, forbidden. */
export async function changePrompt<T>(
  actor: Actor,
  promptId: string,
  change: (tx: Transaction) => Promise<T>,
): Promise<T> {
  requireId(promptId, 'prompt')
  return db().$transaction(async (tx) => {
    const [member] = await tx.$queryRaw<RoleRow[]>`
      SELECT m.role FROM prompts p JOIN agents a ON a.id = p.agent_id
      JOIN project_members m ON m.project_id = a.project_id
      WHERE p.id = ${promptId}::uuid AND m.user_id = ${actor.userId}::uuid
        AND m.project_id = coalesce(${actor.boundTo}::uuid, m.project_id) FOR SHARE OF m`
    requireRole(member?.role, 'editor', 'prompt')
    const locked = await tx.$queryRaw<
      unknown[]
    >`SELECT 1 FROM prompts WHERE id = ${promptId}::uuid FOR UPDATE`
    if (locked.length === 0) throw notFound('prompt')
    return change(tx)
  })
}
