import type { NumberedEvent } from '../chat'
import type { MessageRecord, ReplyError } from '../contracts/conversations'
import { AppError, type ErrorCode, statusOf } from '../errors'

type Failure = Pick<ReplyError, 'code' | 'message' | 'request_id'>

/** How an answer ended: the message as it stays, and why it is not whole, if it is not and nobody wanted that. */
type End = { message: MessageRecord; error: Failure | null }

/** The end of an answer, where it is among these events. */
export function readEnd(events: NumberedEvent[]): End | null {
  const last = events.at(-1)
  if (!last || !('message' in last.data)) return null
  const { message } = last.data
  return { message, error: findFailure(last, message) }
}

function findFailure({ event }: NumberedEvent, { error }: MessageRecord): Failure | null {
  if (event === 'interrupted') {
    const message = 'The server stopped while it was answering. What it said is kept; ask again for the rest.'
    return { code: 'unavailable', message }
  }
  if (event !== 'failed') return null
  const { code, message, request_id } = error ?? failedSomehow
  return { code, message, ...(request_id && { request_id }) }
}

const failedSomehow: Failure = { code: 'provider_failed', message: 'The answer failed.' }

/** What an answer failed with, as the error of the call that asked for it. */
export function toError({ code, message }: Failure): AppError {
  return new AppError(code in statusOf ? (code as ErrorCode) : 'provider_failed', message)
}

/** Nobody told the end: who asked may not hear it any more, or has gone. */
export function lost(): AppError {
  return new AppError('unauthenticated', 'What you may do has changed. Sign in again; the answer is kept.')
}
