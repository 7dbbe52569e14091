import { createHash, randomUUID } from 'node:crypto'
import type { Actor } from '../auth'
import { requireRoom, sql } from '../db'
import { AppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'

const leaseMs = 30_000
const renewMs = 10_000
const sweepMs = 600_000

const nodeId = () => remember('gateway.replays.node', randomUUID)

/** What an `Idempotency-Key` was answered with. */
type Row = {
  isSame: boolean
  state: 'running' | 'kept' | 'large' | 'run'
  status: number | null
  headers: [string, string][] | null
  body: Buffer | null
}

/** What is kept of an answer, and of which call. */
type Outcome = {
  state: Exclude<Row['state'], 'running'>
  hash: Buffer
  status: number
  headers: [string, string][]
  body: Buffer | null
}

/** A first call that is under way. It ends with one of these, which never throw. */
export type Claim = { keep(outcome: Outcome): Promise<void>; forget(): Promise<void> }

/** SHA-256 of texts and bytes that no two lists of them have in common. */
export function digestOf(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest()
}

/** The row of a caller's key. Throws invalid_input for a key that is none. */
export function rowIdOf({ userId, keyId }: Actor, given: string): Buffer {
  if (/^[\x21-\x7e]{1,255}$/.test(given)) return digestOf(userId, keyId ?? '', given)
  const message = 'An Idempotency-Key is 1 to 255 visible ASCII characters.'
  throw new AppError('invalid_input', message, { issues: [{ path: 'Idempotency-Key', message }] })
}

/**
 * A claim where this call is the first one, else null; an old one, or one whose server has died, counts no more. The
 * hash is null where nobody knows yet which call it is.
 */
export async function claimRow({ userId }: Actor, id: Buffer, hash: Buffer | null): Promise<Claim | null> {
  await requireRoom()
  sweepNowAndThen()
  const taken = await sql`
    INSERT INTO gateway_replays AS known (id, user_id, request_hash, node_id, lease_expires_at)
    VALUES (
      ${id}, ${userId}::uuid, ${hash ?? unknown}, ${nodeId()}, now() + ${leaseMs}::int * interval '1 millisecond'
    )
    ON CONFLICT (id) DO UPDATE SET
      request_hash = excluded.request_hash, state = 'running', status = NULL, headers = NULL, body = NULL,
      node_id = excluded.node_id, lease_expires_at = excluded.lease_expires_at, created_at = now()
    WHERE known.created_at < now() - interval '24 hours'
      OR (known.state = 'running' AND known.lease_expires_at < now())
    RETURNING 1`
  return taken.length > 0 ? holdClaim(id) : null
}

const unknown = Buffer.alloc(0)

function holdClaim(id: Buffer): Claim {
  const renewal = setInterval(() => void renew(id), renewMs).unref()
  return {
    keep: (outcome) => {
      clearInterval(renewal)
      return keep(id, outcome)
    },
    forget: () => {
      clearInterval(renewal)
      return forget(id)
    },
  }
}

/** Whether the first call is under way, or just over. */
export async function isRunning(id: Buffer): Promise<boolean> {
  const [row] = await sql<Pick<Row, 'state'>>`SELECT state FROM gateway_replays WHERE id = ${id}`
  return !row || row.state === 'running'
}

/** What is known of a key; `isSame`: of this very call, as far as that is known. */
export async function findRow(id: Buffer, hash: Buffer): Promise<Row | null> {
  const [row] = await sql<Row>`
    SELECT request_hash IN (${hash}, ${unknown}) AS "isSame", state, status, headers, body
    FROM gateway_replays WHERE id = ${id}`
  return row ?? null
}

async function keep(id: Buffer, { state, hash, status, headers, body }: Outcome): Promise<void> {
  await sql`
    UPDATE gateway_replays
    SET state = ${state}, request_hash = ${hash}, status = ${status}, headers = ${JSON.stringify(headers)}::jsonb,
      body = ${body}::bytea, lease_expires_at = NULL
    WHERE id = ${id} AND node_id = ${nodeId()} AND state = 'running'`.catch(warn)
}

async function renew(id: Buffer): Promise<void> {
  await sql`
    UPDATE gateway_replays SET lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
    WHERE id = ${id} AND node_id = ${nodeId()} AND state = 'running'`.catch(warn)
}

async function forget(id: Buffer): Promise<void> {
  await sql`
    DELETE FROM gateway_replays WHERE id = ${id} AND node_id = ${nodeId()} AND state = 'running'`.catch(warn)
}

const sweeping = () => remember('gateway.replays.swept', () => ({ at: 0 }))

function sweepNowAndThen(): void {
  if (Date.now() - sweeping().at < sweepMs) return
  sweeping().at = Date.now()
  void sql`DELETE FROM gateway_replays WHERE created_at < now() - interval '24 hours'`.catch(warn)
}

function warn(err: unknown): void {
  log().warn({ err }, 'an Idempotency-Key was not kept as it should be')
}
