import { type Actor, membershipOf } from '../auth'
import type { CredentialScope } from '../contracts/credentials'
import { Id } from '../contracts/primitives'
import type { Transaction } from '../db'
import { AppError } from '../errors'
import { type CredentialRow, withOwner } from './records'

/**
 * Which credentials the actor sees: own, those of own projects, and, as an admin, those for everyone; through an API key
 * that is bound to a project, those of that project alone.
 */
export function visibleTo(actor: Actor) {
  const ofProjects = { scope: 'project', project: { members: { some: membershipOf(actor) } } }
  if (actor.boundTo !== null) return { OR: [ofProjects] }
  return {
    OR: [
      { scope: 'user', userId: actor.userId },
      ofProjects,
      ...(actor.role === 'admin' ? [{ scope: 'global' }] : []),
    ],
  }
}

/** Throws not_found for a project that the actor is no member of, forbidden for what the role does not allow. */
export async function requireScope(
  tx: Transaction,
  actor: Actor,
  { scope, projectId }: { scope: CredentialScope; projectId: string | null },
): Promise<void> {
  if (scope === 'global' && actor.role !== 'admin') {
    throw new AppError('forbidden', 'Only an admin can keep keys for everyone.')
  }
  if (scope === 'project') await requireEditor(tx, actor, projectId)
  else if (actor.boundTo !== null) throw boundElsewhere()
}

function boundElsewhere(): AppError {
  return new AppError(
    'forbidden',
    'This API key is bound to one project and reaches the keys of that one only.',
  )
}

async function requireEditor(tx: Transaction, actor: Actor, projectId: string | null): Promise<void> {
  const [member] = await tx.$queryRaw<{ role: string }[]>`
    SELECT role FROM project_members
    WHERE project_id = ${projectId}::uuid AND user_id = ${actor.userId}::uuid
      AND project_id = coalesce(${actor.boundTo}::uuid, project_id) FOR SHARE`
  if (!member) throw new AppError('not_found', 'There is no such project, or it is not shared with you.')
  if (member.role === 'viewer') {
    throw new AppError('forbidden', 'Only editors and owners of a project can change its keys.')
  }
}

/** The record, locked, if the actor may change it. Throws not_found, forbidden. */
export async function lockCredential(tx: Transaction, actor: Actor, id: string): Promise<CredentialRow> {
  const visible = Id.safeParse(id).success ? { id, ...visibleTo(actor) } : null
  const seen = visible && (await tx.credential.findFirst({ where: visible }))
  if (!seen) throw noCredential()
  await requireScope(tx, actor, { scope: seen.scope as CredentialScope, projectId: seen.projectId })
  await tx.$queryRaw`SELECT 1 FROM credentials WHERE id = ${id}::uuid FOR UPDATE`
  // It may have been moved to somebody else just before it was locked.
  const { scope, userId, projectId } = seen
  const row = await tx.credential.findFirst({ where: { id, scope, userId, projectId }, include: withOwner })
  if (!row) throw noCredential()
  return row
}

function noCredential(): AppError {
  return new AppError('not_found', 'There is no such key in the vault, or it is not yours.')
}
