import { CircleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { RequestError } from './request'

type Failure = Pick<RequestError, 'message'> & Partial<Pick<RequestError, 'requestId' | 'retryAfterSeconds'>>

/** The message with the time to wait, said once: in seconds while they can be waited for, else in minutes. */
export function sayFailure(message: string, retryAfterSeconds?: number): string {
  if (!retryAfterSeconds) return message
  const wait =
    retryAfterSeconds <= 120
      ? `${Math.ceil(retryAfterSeconds)} seconds`
      : `${Math.ceil(retryAfterSeconds / 60)} minutes`
  return `${message.replace(/ Try again in [^.]+\.$/, '')} Try again in ${wait}.`
}

/** What went wrong, in place: the message, when to try again, and the request id, small. */
export function FailureNote({ failure, children }: { failure: Failure; children?: ReactNode }) {
  const { message, requestId, retryAfterSeconds } = failure
  return (
    <div role="alert" className="flex gap-2.5 rounded-control bg-bad/8 px-3 py-2.5 text-ui">
      <CircleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-bad" />
      <div className="flex min-w-0 flex-col gap-1">
        <p className="break-words">{sayFailure(message, retryAfterSeconds)}</p>
        {children}
        {requestId ? (
          <p className="break-all text-ink-soft text-label normal-nums">Request {requestId}</p>
        ) : null}
      </div>
    </div>
  )
}
