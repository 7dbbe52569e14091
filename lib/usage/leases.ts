import { randomUUID } from 'node:crypto'
import { sql } from '../db'
import { log } from '../log'
import { remember } from '../remember'

/** For so long a reservation stands by itself; whoever holds it says more often that the call goes on. */
export const leaseMs = 30_000
const renewEveryMs = 10_000
/** No call takes longer; one that nobody ends for so long was forgotten. */
const longestMs = 24 * 3_600_000

/** `isOver`: the call used nothing, but that could not be written down yet. */
type Held = { since: number; isOver: boolean }
type Leases = {
  nodeId: string
  held: Map<string, Held>
  timer: NodeJS.Timeout | null
  turn: Promise<void> | null
}

/** The reservations of the calls that this server is making. */
const leases = () =>
  remember<Leases>('usage.leases', () => ({ nodeId: randomUUID(), held: new Map(), timer: null, turn: null }))

/** By what name this server holds reservations. */
export const nodeId = () => leases().nodeId

/** The ids of the reservations that this server holds. */
export const heldIds = () => [...leases().held.keys()]

/** Keeps a reservation until it is dropped. */
export function holdLease(id: string): void {
  const all = leases()
  all.held.set(id, { since: performance.now(), isOver: false })
  all.timer ??= setInterval(() => {
    all.turn ??= renewLeases().finally(() => {
      all.turn = null
    })
  }, renewEveryMs).unref()
}

/** The call has ended; its reservation has been settled, or runs out. */
export function dropLease(id: string): void {
  const all = leases()
  all.held.delete(id)
  if (all.held.size === 0) endTimer()
}

function endTimer(): void {
  const all = leases()
  if (all.timer) clearInterval(all.timer)
  all.timer = null
}

/** Gives a reservation back of whose call nothing was used; tried again where the database does not answer. Never throws. */
export async function giveBack(id: string): Promise<void> {
  try {
    await sql`SELECT release_use(${id}::uuid)`
    dropLease(id)
  } catch (err) {
    const held = leases().held.get(id)
    if (held) held.isOver = true
    log().warn({ err, reservationId: id }, 'what was set aside for a call could not be given back yet')
  }
}

/** Says of all calls that go on that they do. Never throws. */
async function renewLeases(): Promise<void> {
  const { held } = leases()
  for (const [id, { isOver, since }] of held) {
    if (isOver) await giveBack(id)
    else if (performance.now() - since > longestMs) dropLease(id)
  }
  const ids = heldIds()
  if (ids.length === 0) return
  try {
    const rows = await sql<{ id: string }>`
      UPDATE key_reservations SET lease_expires_at = clock_timestamp() + ${leaseMs}::int * interval '1 millisecond'
      WHERE id = ANY(${ids}::uuid[]) RETURNING id`
    const there = new Set(rows.map(({ id }) => id))
    // Swept, since this server was not heard of for too long; what the call used is written down all the same.
    for (const id of ids) if (!there.has(id)) dropLease(id)
  } catch (err) {
    log().warn({ err }, 'what is set aside for calls that go on could not be kept')
  }
}

/**
 * Holds here what a server that is gone had set aside for calls that go on elsewhere, so that it is kept until they are
 * settled; ids of none are passed over. Never throws.
 */
export async function holdUse(ids: string[]): Promise<void> {
  if (ids.length === 0) return
  for (const id of ids) holdLease(id)
  await renewLeases()
}

/** Keeps nothing any more. */
export async function stopRenewing(): Promise<void> {
  endTimer()
  await leases().turn
}
