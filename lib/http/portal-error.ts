import type { ErrorBody } from '../contracts/primitives'
import { asAppError, statusOf } from '../errors'
import { log } from '../log'

/** The error in the portal dialect. What the server did not expect is logged with its cause, and told without. */
export function errorResponse(error: unknown, requestId: string): Response {
  const known = asAppError(error)
  logUnexpected(error, requestId)
  const body: ErrorBody = {
    error: {
      code: known.code,
      message: known.message,
      request_id: requestId,
      ...(known.issues && { issues: known.issues }),
      ...(known.facts && { facts: known.facts }),
    },
  }
  const headers = new Headers(known.headers)
  if (known.retryAfterSeconds !== undefined) {
    headers.set('retry-after', String(Math.max(1, Math.ceil(known.retryAfterSeconds))))
  }
  return Response.json(body, { status: statusOf[known.code], headers })
}

/** Writes what nobody foresaw to the log, with its cause; other errors are the caller's. */
export function logUnexpected(error: unknown, requestId: string | null): void {
  const known = asAppError(error)
  if (known.code === 'internal') log().error({ requestId, err: known.cause ?? known }, known.message)
}
