import { sql } from '../db'
import { asAppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import { toLedgerEntry, type UsageRecord } from './entry'
import { heldIds, leaseMs, stopRenewing } from './leases'
import { writeEntry } from './record'

const sweepEveryMs = 10_000
/** So many are looked at together. */
const pageSize = 100

type Sweeper = { timer: NodeJS.Timeout | null; turn: Promise<unknown> | null }
const sweeper = () => remember<Sweeper>('usage.sweeper', () => ({ timer: null, turn: null }))

type Left = Pick<
  UsageRecord,
  'userId' | 'projectId' | 'surface' | 'provider' | 'model' | 'inputTokens' | 'replyId'
> & {
  id: string
  keyId: string
  openedAt: Date
  durationMs: number
}

/**
 * Gives back what was set aside for calls whose server is gone, and writes each of them down as interrupted, with what
 * it was likely to tell the model. `all`: no other server uses the database, so that nothing in it is anybody's but ours.
 * Returns how many there were.
 */
export async function sweepReservations({ all = false } = {}): Promise<number> {
  if (all) await expireOthers()
  let swept = 0
  for (;;) {
    const page = await findLeft()
    const written = await Promise.all(page.map(settleLeft))
    const done = written.filter(Boolean).length
    swept += done
    // What cannot be settled now would be found again.
    if (page.length < pageSize || done === 0) return swept
  }
}

async function expireOthers(): Promise<void> {
  await sql`
    UPDATE key_reservations SET lease_expires_at = clock_timestamp() - interval '1 millisecond'
    WHERE id <> ALL(${heldIds()}::uuid[]) AND lease_expires_at >= clock_timestamp()`
}

/** Answers that are being written are settled by whoever writes them, whichever server that is by now. */
function findLeft(): Promise<Left[]> {
  return sql<Left>`
    SELECT r.id, r.key_id AS "keyId", r.opened_at AS "openedAt", k.user_id AS "userId", k.project_id AS "projectId",
      r.surface, r.provider, r.model, r.input_tokens AS "inputTokens", p.id AS "replyId",
      greatest(0, least(2147483647, extract(epoch FROM r.lease_expires_at - r.opened_at) * 1000 - ${leaseMs}::int))::int
        AS "durationMs"
    FROM key_reservations r JOIN api_keys k ON k.id = r.key_id LEFT JOIN replies p ON p.id = r.id
    WHERE r.lease_expires_at < clock_timestamp() AND r.id <> ALL(${heldIds()}::uuid[])
      AND p.status IS DISTINCT FROM 'running'
    ORDER BY r.lease_expires_at LIMIT ${pageSize}::int`
}

/** False where somebody else was faster, or the database does not take it now. */
async function settleLeft({ id, openedAt, ...left }: Left): Promise<boolean> {
  const served = { keySource: 'unknown', credentialId: null, credentialLabel: null }
  const use = { outputTokens: 0, estimated: true, outcome: 'interrupted' } as const
  try {
    return await writeEntry({ id, openedAt, isLost: true }, toLedgerEntry({ ...left, ...served, ...use }))
  } catch (error) {
    log().warn({ err: asAppError(error), reservationId: id }, 'a call without a server could not be settled')
    return false
  }
}

/** At start: settles what a crash left behind, and keeps looking. `isAlone`: no other server uses the database. */
export async function openBudgets(isAlone = false): Promise<void> {
  await sweepReservations({ all: isAlone })
  const own = sweeper()
  own.timer ??= setInterval(() => {
    own.turn ??= sweepReservations()
      .catch((err: unknown) => log().warn({ err }, 'calls without a server could not be looked for'))
      .finally(() => {
        own.turn = null
      })
  }, sweepEveryMs).unref()
}

/** At the end: keeps nothing any more, and looks for nothing; what is held runs out by itself. */
export async function closeBudgets(): Promise<void> {
  const own = sweeper()
  if (own.timer) clearInterval(own.timer)
  own.timer = null
  await own.turn
  await stopRenewing()
}
