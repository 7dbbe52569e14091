import { recordAudit } from '../audit'
import { type Actor, announceAccessChange, type Origin } from '../auth'
import type { Listing } from '../contracts/primitives'
import type { AddMember, MemberRecord, ProjectRole } from '../contracts/projects'
import { db, type Transaction } from '../db'
import { AppError } from '../errors'
import { cursorOf, type PageRequest, readCursor, toListing } from '../paging'
import { changeProject, memberOf, notFound, requireId, requireReach, requireRole } from './access'
import { toMemberRecord } from './records'
import { getProject } from './single'

const person = { user: { select: { email: true, name: true } } }

/** The members of a project, newest first. Throws not_found. */
export async function listMembers(
  actor: Actor,
  projectId: string,
  page: PageRequest = { limit: 100 },
): Promise<Listing<MemberRecord>> {
  await getProject(actor, projectId)
  const place = readCursor(page.cursor)
  const rows = await db().projectMember.findMany({
    where: {
      projectId,
      project: memberOf(actor),
      ...(place && {
        OR: [{ createdAt: { lt: place.at } }, { createdAt: place.at, userId: { lt: place.id } }],
      }),
    },
    include: person,
    orderBy: [{ createdAt: 'desc' }, { userId: 'desc' }],
    take: page.limit + 1,
  })
  return toListing(rows, page.limit, {
    record: toMemberRecord,
    cursor: ({ createdAt, userId }) => cursorOf({ createdAt, id: userId }),
  })
}

/** Shares a project with someone who has an account. Throws not_found, forbidden, conflict. */
export async function addMember(
  actor: Actor,
  projectId: string,
  input: AddMember,
  origin: Origin,
): Promise<MemberRecord> {
  const added = await changeProject(actor, projectId, 'owner', async (tx) => {
    const email = input.email?.trim().toLowerCase()
    const user = await tx.user.findFirst({
      where: { disabledAt: null, ...(input.user_id ? { id: input.user_id } : { email: email ?? '' }) },
      select: { id: true },
    })
    if (!user)
      throw new AppError('not_found', 'There is no account of this person. Ask them to sign up first.')
    const key = { projectId, userId: user.id }
    if (await tx.projectMember.findUnique({ where: { projectId_userId: key } })) throw alreadyMember()
    const member = await tx.projectMember.create({
      data: { ...key, role: input.role, createdAt: new Date() },
      include: person,
    })
    const { email: memberEmail } = member.user
    await audit(tx, { actor, origin, action: 'member.add', ...key, email: memberEmail, role: input.role })
    return toMemberRecord(member)
  })
  // Conversations of an earlier membership are there again.
  announceAccessChange(added.user_id)
  return added
}

function alreadyMember(): AppError {
  return new AppError('conflict', 'This person is a member already. Change the role instead.')
}

/** Gives a member another role; the last owner stays one. Throws not_found, forbidden, conflict. */
export async function updateMember(
  actor: Actor,
  member: { projectId: string; userId: string },
  input: { role: ProjectRole },
  origin: Origin,
): Promise<MemberRecord> {
  return changeMembers(actor, member, async (tx, roles) => {
    requireRole(roles.get(actor.userId), 'owner', 'project')
    requireMember(roles, member.userId)
    if (input.role !== 'owner') requireOtherOwner(roles, member.userId)
    const row = await tx.projectMember.update({
      where: { projectId_userId: member },
      data: { role: input.role },
      include: person,
    })
    const { email } = row.user
    await audit(tx, { actor, origin, action: 'member.update', ...member, email, role: input.role })
    return toMemberRecord(row)
  })
}

/** Ends a membership: an owner anyone's, everyone their own; the last owner stays. Throws not_found, forbidden, conflict. */
export async function removeMember(
  actor: Actor,
  member: { projectId: string; userId: string },
  origin: Origin,
): Promise<void> {
  await changeMembers(actor, member, async (tx, roles) => {
    const isLeaving = member.userId === actor.userId
    requireRole(roles.get(actor.userId), isLeaving ? 'viewer' : 'owner', 'project')
    requireMember(roles, member.userId)
    requireOtherOwner(roles, member.userId)
    const { user } = await tx.projectMember.delete({
      where: { projectId_userId: member },
      include: person,
    })
    await audit(tx, { actor, origin, action: 'member.remove', ...member, email: user.email })
  })
  announceAccessChange(member.userId)
}

/** Changes of one project's members take turns: each locks all of its member rows, in one order. */
async function changeMembers<T>(
  actor: Actor,
  { projectId, userId }: { projectId: string; userId: string },
  change: (tx: Transaction, roles: Map<string, string>) => Promise<T>,
): Promise<T> {
  requireReach(actor, projectId)
  requireId(userId, 'member')
  return db().$transaction(async (tx) => {
    const roles = await lockMembers(tx, projectId)
    if (!roles.has(actor.userId)) throw notFound('project')
    return change(tx, roles)
  })
}

/** Locks all memberships of a project; gives the role of each user. */
export async function lockMembers(tx: Transaction, projectId: string): Promise<Map<string, string>> {
  const rows = await tx.$queryRaw<{ user_id: string; role: string }[]>`
    SELECT user_id, role FROM project_members
    WHERE project_id = ${projectId}::uuid ORDER BY user_id FOR UPDATE`
  return new Map(rows.map(({ user_id, role }) => [user_id, role]))
}

function requireMember(roles: Map<string, string>, userId: string): void {
  if (!roles.has(userId)) throw notFound('member')
}

function requireOtherOwner(roles: Map<string, string>, userId: string): void {
  const others = [...roles].filter(([id, role]) => role === 'owner' && id !== userId)
  if (roles.get(userId) === 'owner' && others.length === 0) {
    throw new AppError('conflict', 'A project needs an owner. Make someone else an owner first.')
  }
}

async function audit(
  tx: Transaction,
  {
    actor,
    origin,
    action,
    ...detail
  }: {
    actor: Actor
    origin: Origin
    action: 'member.add' | 'member.update' | 'member.remove'
    projectId: string
    userId: string
    email: string
    role?: string
  },
): Promise<void> {
  const { ip, requestId } = origin
  const { userId: actorId, keyId } = actor
  await recordAudit({ actorId, keyId, action, target: detail.projectId, ip, requestId, detail }, tx)
}
