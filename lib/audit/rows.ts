import type { AuditFilter } from '../contracts/audit'
import { Id } from '../contracts/primitives'
import type { Prisma, Transaction } from '../db'
import type { Place } from '../paging'

/** What reads the audit needs of the database. */
export type Reads = Pick<Transaction, 'auditEvent' | 'user'>
export type AuditRow = Prisma.AuditEventGetPayload<object>
type Where = Prisma.AuditEventWhereInput

const dayMs = 86_400_000
const newestFirst: Prisma.AuditEventOrderByWithRelationInput[] = [{ at: 'desc' }, { id: 'desc' }]

/** What a filter asks of the rows; null where nothing can fit, since nobody has the email. */
export async function readFilter(reads: Reads, filter: AuditFilter): Promise<Where | null> {
  const { action, actor, target, from, to } = filter
  const actorId = actor === undefined ? undefined : await findActorId(reads, actor)
  if (actorId === null) return null
  return { action, actorId, target, at: { gte: from && new Date(from), lt: to && endOf(to) } }
}

async function findActorId(reads: Reads, actor: string): Promise<string | null> {
  const id = Id.safeParse(actor)
  if (id.success) return id.data
  const email = actor.toLowerCase()
  const user = await reads.user.findUnique({ where: { email }, select: { id: true } })
  return user?.id ?? null
}

function endOf(to: string): Date {
  const given = new Date(to)
  return to.includes('T') ? given : new Date(given.getTime() + dayMs)
}

/** At most so many rows after a place, newest first. A deep place costs no more than the first. */
export async function findRows(
  reads: Reads,
  where: Where,
  { place, take }: { place: Place | null; take: number },
): Promise<AuditRow[]> {
  return reads.auditEvent.findMany({
    where: { AND: [where, beyond(place)] },
    orderBy: newestFirst,
    take,
  })
}

/** The first condition follows from the second, but only by it does Postgres find where in the index to begin. */
function beyond(place: Place | null): Where {
  if (!place) return {}
  const { at, id } = place
  return { AND: [{ at: { lte: at } }, { OR: [{ at: { lt: at } }, { id: { lt: id } }] }] }
}
