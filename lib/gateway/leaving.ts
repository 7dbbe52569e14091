import type { Call } from './call'

/** Ends a call when its caller goes, or may not go on. */
export type Leaving = Pick<Call, 'signal'> & {
  /** From now on nothing holds up the end. */
  allow(): void
}

/**
 * The end of a call whose caller has one or more reasons to leave. An answer in the background goes on elsewhere when
 * nobody listens, and has to be paid for: such a call does not end before it is known by what name.
 */
export function openLeaving(reasons: AbortSignal[], isHeld: boolean): Leaving {
  const gone = AbortSignal.any(reasons)
  if (!isHeld) return { signal: gone, allow: () => undefined }
  const ended = new AbortController()
  const allow = () => {
    if (gone.aborted) ended.abort(gone.reason)
    else gone.addEventListener('abort', () => ended.abort(gone.reason), { once: true })
  }
  return { signal: ended.signal, allow }
}
