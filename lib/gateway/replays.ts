import { createHash, randomUUID } from 'node:crypto'
import type { Actor } from '../auth'
import { requireRoom, sql } from '../db'
import { AppError } from '../errors'
import { log } from '../log'
import { parseJson } from '../providers'
import { remember } from '../remember'
import type { Asked } from './asked'
import { type Answer, collect } from './collected'
import { requireEvents, streamRun } from './run-follow'
import { isSet } from './told'
import { asObject } from './translate/json'

/** A longer answer is not kept, and a repeated call is told so. */
const maxBytes = 4 * 1024 * 1024
const leaseMs = 30_000
const renewMs = 10_000
const sweepMs = 600_000

const nodeId = () => remember('gateway.replays.node', randomUUID)

type Row = {
  isSame: boolean
  state: 'running' | 'kept' | 'large' | 'run'
  status: number | null
  headers: [string, string][] | null
  body: Buffer | null
}
type Claim = { id: Buffer; hash: Buffer }

/**
 * Answers a call with an `Idempotency-Key` once: for a day the same call of the same caller gets the same status and
 * body, marked `idempotent-replayed`. Faults of servers and limits are not kept, also where an answer of status 200 tells
 * of them, so that such a call can be made again.
 * Throws invalid_input for a key that is none or was used for another call, conflict while the first call is under way.
 */
export async function answerOnce(
  actor: Actor,
  request: Request,
  asked: Asked,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  const given = request.headers.get('idempotency-key')
  if (given === null) return answer()
  const claim = claimOf(actor, asked, given)
  sweepNowAndThen()
  if (!(await take(actor, claim))) return replay(actor, claim)
  const renewal = setInterval(() => void renew(claim), renewMs).unref()
  const letGo = () => {
    clearInterval(renewal)
    return forget(claim)
  }
  try {
    const first = await answer()
    if (!isKept(first.response.status)) {
      await letGo()
      return first
    }
    const { status } = first.response
    const headers = [...first.response.headers]
    if (first.runId !== undefined) {
      // It goes on whoever listens: a repeated call follows it, and makes no second one.
      clearInterval(renewal)
      await keep(claim, { state: 'run', status, headers, body: Buffer.from(first.runId) })
      return first
    }
    return collect(first, {
      maxBytes,
      whole: async (body) => {
        if (body !== null && status === 200 && tellsFault(asked, body)) return letGo()
        clearInterval(renewal)
        await keep(claim, { state: body === null ? 'large' : 'kept', status, headers, body })
      },
      lost: letGo,
    })
  } catch (error) {
    await letGo()
    throw error
  }
}

function claimOf({ userId, keyId }: Actor, { path, bytes }: Asked, given: string): Claim {
  if (!/^[\x21-\x7e]{1,255}$/.test(given)) {
    const message = 'An Idempotency-Key is 1 to 255 visible ASCII characters.'
    throw new AppError('invalid_input', message, { issues: [{ path: 'Idempotency-Key', message }] })
  }
  const digest = (...parts: (string | Uint8Array)[]) => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part).update('\0')
    return hash.digest()
  }
  return { id: digest(userId, keyId ?? '', given), hash: digest(path, bytes) }
}

/** Whether this call is the first one; an old one, or one whose server has died, counts no more. */
async function take({ userId }: Actor, { id, hash }: Claim): Promise<boolean> {
  await requireRoom()
  const taken = await sql`
    INSERT INTO gateway_replays AS known (id, user_id, request_hash, node_id, lease_expires_at)
    VALUES (${id}, ${userId}::uuid, ${hash}, ${nodeId()}, now() + ${leaseMs}::int * interval '1 millisecond')
    ON CONFLICT (id) DO UPDATE SET
      request_hash = excluded.request_hash, state = 'running', status = NULL, headers = NULL, body = NULL,
      node_id = excluded.node_id, lease_expires_at = excluded.lease_expires_at, created_at = now()
    WHERE known.created_at < now() - interval '24 hours'
      OR (known.state = 'running' AND known.lease_expires_at < now())
    RETURNING 1`
  return taken.length > 0
}

async function replay(actor: Actor, { id, hash }: Claim): Promise<Answer> {
  const [row] = await sql<Row>`
    SELECT request_hash = ${hash} AS "isSame", state, status, headers, body FROM gateway_replays WHERE id = ${id}`
  if (row && !row.isSame) {
    const message = 'This Idempotency-Key was used for another call. Use a new one for each call.'
    throw new AppError('invalid_input', message, { facts: { code: 'idempotency_key_reused' } })
  }
  if (row?.state === 'large') {
    const message =
      'This call was answered already, with more than is kept. Use a new Idempotency-Key to make it again.'
    throw new AppError('conflict', message, { facts: { code: 'idempotent_answer_too_large' } })
  }
  if (row?.state === 'run') return followAgain(actor, String(row.body))
  if (row?.state !== 'kept') {
    const message = 'A call with this Idempotency-Key is under way. Try again when it has ended.'
    throw new AppError('conflict', message, {
      facts: { code: 'idempotency_key_in_use' },
      retryAfterSeconds: 1,
    })
  }
  const headers = new Headers(row.headers ?? [])
  headers.set('idempotent-replayed', 'true')
  const response = new Response(new Uint8Array(row.body ?? []), { status: row.status ?? 200, headers })
  return { response, isWhole: () => true }
}

async function followAgain(actor: Actor, runId: string): Promise<Answer> {
  await requireEvents(runId)
  const response = streamRun(actor, runId, -1)
  response.headers.set('idempotent-replayed', 'true')
  return { response, isWhole: () => true }
}

function isKept(status: number): boolean {
  return status < 500 && ![401, 403, 408, 409, 429].includes(status)
}

/** How a stream that began well tells that its server failed. */
const streamFault = /(?:^|\n)(?:event: ?(?:error|response\.failed)\r?\n|data: ?\{\s*"error"\s*:\s*["{])/

/** Whether an answer of status 200 tells of a fault of its server's; one that was cut short or goes on does not. */
function tellsFault({ isStream }: Asked, body: Buffer): boolean {
  if (isStream) return streamFault.test(body.toString('latin1'))
  const { status, error } = asObject(parseJson(body.toString()))
  return status === 'failed' || isSet(error)
}

type Outcome = {
  state: Exclude<Row['state'], 'running'>
  status: number
  headers: [string, string][]
  body: Buffer | null
}

async function keep({ id }: Claim, { state, status, headers, body }: Outcome): Promise<void> {
  await sql`
    UPDATE gateway_replays
    SET state = ${state}, status = ${status}, headers = ${JSON.stringify(headers)}::jsonb,
      body = ${body}::bytea, lease_expires_at = NULL
    WHERE id = ${id} AND node_id = ${nodeId()} AND state = 'running'`
}

async function renew({ id }: Claim): Promise<void> {
  await sql`
    UPDATE gateway_replays SET lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
    WHERE id = ${id} AND node_id = ${nodeId()} AND state = 'running'`.catch(warn)
}

async function forget({ id }: Claim): Promise<void> {
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
