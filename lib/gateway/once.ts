import type { Actor } from '../auth'
import { AppError } from '../errors'
import { type Answer, collect } from './collected'
import { type Claim, claimRow, findRow, isRunning, rowIdOf } from './replay-rows'
import { requireEvents, streamRun } from './run-follow'

/** A longer answer is not kept, and a repeated call is told so. */
const maxBytes = 4 * 1024 * 1024

/** A call that may come again. */
type OnceCall = {
  print: Print
  answer: () => Promise<Answer>
  /** Whether an answer of status 200 tells of a fault of its server's. */
  tellsFault?: (body: Buffer) => boolean
}

/** Which call it is. */
export type Print = {
  /** Null as long as that is not known, for not enough of the call was read. */
  known: () => Buffer | null
  /** Reads so much of the call that it is known. */
  read: () => Promise<Buffer>
}

/**
 * Answers a call with this `Idempotency-Key` once: for a day the same call of the same caller gets the same status and
 * body, marked `idempotent-replayed`. Faults of servers and limits are not kept, also where an answer of status 200 tells
 * of them, so that such a call can be made again.
 * Throws invalid_input for a key that is none or was used for another call, conflict while the first call is under way.
 */
export async function callOnce(actor: Actor, given: string, call: OnceCall): Promise<Answer> {
  const id = rowIdOf(actor, given)
  const claim = await claimRow(actor, id, call.print.known())
  if (!claim) return replay(actor, id, call.print)
  try {
    return await keepAnswer(call, claim, await call.answer())
  } catch (error) {
    await claim.forget()
    throw error
  }
}

async function keepAnswer(call: OnceCall, claim: Claim, first: Answer): Promise<Answer> {
  const { status } = first.response
  const headers = [...first.response.headers]
  if (!isKept(status)) {
    await claim.forget()
    return first
  }
  if (first.runId !== undefined) {
    // It goes on whoever listens: a repeated call follows it, and makes no second one.
    const body = Buffer.from(first.runId)
    await claim.keep({ state: 'run', hash: await call.print.read(), status, headers, body })
    return first
  }
  return collect(first, {
    maxBytes,
    whole: async (body) => {
      if (body !== null && status === 200 && call.tellsFault?.(body)) return claim.forget()
      // Who is refused early is told at once; what was made must not be made again.
      const hash = status < 400 ? await call.print.read() : call.print.known()
      if (hash) await claim.keep({ state: body === null ? 'large' : 'kept', hash, status, headers, body })
      else await claim.forget()
    },
    lost: claim.forget,
  })
}

function isKept(status: number): boolean {
  return status < 500 && ![401, 403, 408, 409, 429].includes(status)
}

async function replay(actor: Actor, id: Buffer, print: Print): Promise<Answer> {
  // Nobody has to send all of a long call to be told to wait.
  if (print.known() === null && (await isRunning(id))) throw inUse()
  const row = await findRow(id, await print.read())
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
  if (row?.state !== 'kept') throw inUse()
  const headers = new Headers(row.headers ?? [])
  headers.set('idempotent-replayed', 'true')
  const response = new Response(new Uint8Array(row.body ?? []), { status: row.status ?? 200, headers })
  return { response, isWhole: () => true }
}

function inUse(): AppError {
  const message = 'A call with this Idempotency-Key is under way. Try again when it has ended.'
  return new AppError('conflict', message, {
    facts: { code: 'idempotency_key_in_use' },
    retryAfterSeconds: 1,
  })
}

async function followAgain(actor: Actor, runId: string): Promise<Answer> {
  await requireEvents(runId)
  const response = streamRun(actor, runId, -1)
  response.headers.set('idempotent-replayed', 'true')
  return { response, isWhole: () => true }
}
