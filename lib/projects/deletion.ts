import { recordAudit } from '../audit'
import { type Actor, announceAccessChange, type Origin } from '../auth'
import { db, type Transaction } from '../db'
import { AppError } from '../errors'
import { requireReach, requireRole } from './access'
import { lockMembers } from './members'

/**
 * Deletes a project with all that is in it, if `confirm` is its name; each key that goes with it is written down.
 * Throws not_found, forbidden; conflict with the counts of what would go in its facts.
 */
export async function deleteProject(
  actor: Actor,
  projectId: string,
  { confirm }: { confirm?: string | undefined },
  origin: Origin,
): Promise<void> {
  requireReach(actor, projectId)
  const concerned = await db().$transaction(async (tx) => {
    const roles = await lockMembers(tx, projectId)
    requireRole(roles.get(actor.userId), 'owner', 'project')
    const { name } = await tx.project.findUniqueOrThrow({ where: { id: projectId }, select: { name: true } })
    const counts = await countContents(tx, projectId)
    if (confirm?.trim() !== name) throw needsConfirmation(counts)
    const who = { actorId: actor.userId, keyId: actor.keyId, ip: origin.ip, requestId: origin.requestId }
    await writeCredentials(tx, projectId, who)
    const keyOwners = await writeKeys(tx, projectId, who)
    const detail = { name, ...counts }
    await recordAudit({ ...who, action: 'project.delete', target: projectId, detail }, tx)
    await tx.project.delete({ where: { id: projectId } })
    return new Set([...roles.keys(), ...keyOwners])
  })
  for (const userId of concerned) announceAccessChange(userId)
}

type Counts = Record<
  'agents' | 'prompts' | 'conversations' | 'members' | 'credentials' | 'programKeys',
  number
>

async function countContents(tx: Transaction, projectId: string): Promise<Counts> {
  return {
    agents: await tx.agent.count({ where: { projectId } }),
    prompts: await tx.prompt.count({ where: { agent: { projectId } } }),
    conversations: await tx.conversation.count({ where: { agent: { projectId } } }),
    members: await tx.projectMember.count({ where: { projectId } }),
    credentials: await tx.credential.count({ where: { projectId } }),
    programKeys: await tx.apiKey.count({ where: { projectId, revokedAt: null } }),
  }
}

function needsConfirmation(counts: Counts): AppError {
  const message = 'This deletes everything in the project. Confirm with ?confirm= and its name.'
  return new AppError('conflict', message, { facts: counts })
}

type Who = { actorId: string; keyId: string | null; ip: string; requestId: string | null }

async function writeCredentials(tx: Transaction, projectId: string, who: Who): Promise<void> {
  const rows = await tx.credential.findMany({ where: { projectId } })
  for (const { id, scope, type, label, baseUrl, last4, version, expiresAt } of rows) {
    const seen = { scope, type, projectId, label, baseUrl, last4, version }
    const detail = { ...seen, expiresAt: expiresAt?.toISOString() ?? null }
    await recordAudit({ ...who, action: 'credential.delete', target: id, detail }, tx)
  }
}

/** The API keys that reach this project alone, whoever's they are. Gives their owners. */
async function writeKeys(tx: Transaction, projectId: string, who: Who): Promise<string[]> {
  const rows = await tx.apiKey.findMany({ where: { projectId, revokedAt: null } })
  for (const { id, name, last4, scopes, expiresAt, budgetUsd } of rows) {
    const ends = { expiresAt: expiresAt?.toISOString() ?? null, budgetUsd: budgetUsd?.toString() ?? null }
    const detail = { name, last4, scopes, projectId, ...ends }
    await recordAudit({ ...who, action: 'key.revoke', target: id, detail }, tx)
  }
  return rows.map(({ userId }) => userId)
}
