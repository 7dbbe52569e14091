import type { AuditEntry } from '../contracts/audit'
import { Id } from '../contracts/primitives'
import type { AuditRow, Reads } from './rows'

/** The rows as admins see them, with the emails that accounts have now. */
export async function toEntries(reads: Reads, rows: AuditRow[]): Promise<AuditEntry[]> {
  const emails = await findEmails(reads, rows)
  return rows.map((row) => {
    const detail = row.detail as Record<string, unknown>
    return {
      id: row.id,
      at: row.at.toISOString(),
      action: row.action,
      actor: row.actorId === null ? null : { id: row.actorId, email: emails.get(row.actorId) ?? null },
      key_id: row.keyId,
      target: row.target,
      target_name: nameIn(detail) ?? emails.get(row.target ?? '') ?? null,
      ip: row.ip,
      request_id: row.requestId,
      detail,
    }
  })
}

async function findEmails(reads: Reads, rows: AuditRow[]): Promise<Map<string, string>> {
  const named = rows.flatMap(({ actorId, target }) => [actorId, target])
  const ids = new Set(named.filter((id) => id !== null && Id.safeParse(id).success) as string[])
  const users = await reads.user.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, email: true },
  })
  return new Map(users.map(({ id, email }) => [id, email]))
}

/** What the record itself says of its target: a label or name, an email, else a key's type; and its last characters. */
function nameIn(detail: Record<string, unknown>): string | null {
  const { label, name, email, type, last4 } = detail
  const called = [label, name, email, type].find((value) => typeof value === 'string' && value !== '')
  if (called === undefined) return null
  return typeof last4 === 'string' && last4 !== '' ? `${called} ··${last4}` : String(called)
}
