import { v7 as newId } from 'uuid'
import { db } from '../../lib/db'

/** One row of the audit as it is stored. */
export type StoredEvent = {
  id: string
  at: Date
  actorId: string | null
  action: string
  target: string | null
  ip: string | null
  requestId: string | null
  detail: Record<string, string>
}

/** A row that is like another but for what is given. */
export function makeEvent(given: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: newId(),
    at: new Date('2026-05-01T12:00:00.000Z'),
    actorId: null,
    action: 'account.signin',
    target: null,
    ip: '192.0.2.1',
    requestId: null,
    detail: {},
    ...given,
  }
}

/** Stores rows as they are, as years of use would have left them. */
export async function storeEvents(events: StoredEvent[]): Promise<void> {
  await db().auditEvent.createMany({ data: events })
}

/** Many rows, made by the database itself: one each second since 2020, by turns of each action. */
export async function storeMany(count: number, actorId: string): Promise<void> {
  const deeds = ['account.signin', 'credential.test', 'credential.create', 'session.end']
  await db().$executeRaw`
    INSERT INTO audit_events (id, at, actor_id, action, target)
    SELECT gen_random_uuid(), timestamptz '2020-01-01' + n * interval '1 second',
      CASE WHEN n % 100 = 0 THEN ${actorId}::uuid END, (${deeds}::text[])[n % 4 + 1], 'target-' || n % 1000
    FROM generate_series(1, ${count}::int) AS n`
  await db().$executeRawUnsafe('ANALYZE audit_events')
}
