import type { Reservation } from '../usage'

type Allowance = NonNullable<Reservation['limits']['requests']>

/**
 * Tells the limits of the caller's own API key, in OpenAI's headers, where they are narrower than what the model server
 * says of its own.
 */
export function tellLimits(headers: Headers, reservation: Reservation | null): void {
  if (reservation === null) return
  for (const kind of ['requests', 'tokens'] as const) {
    const allowance = reservation.limits[kind]
    if (allowance !== null && isNarrower(headers, kind, allowance)) tell(headers, kind, allowance)
  }
}

function isNarrower(headers: Headers, kind: string, { remaining }: Allowance): boolean {
  const theirs = headers.get(`x-ratelimit-remaining-${kind}`)
  return theirs === null || !(Number(theirs) < remaining)
}

function tell(headers: Headers, kind: string, { limit, remaining, resetMs }: Allowance): void {
  headers.set(`x-ratelimit-limit-${kind}`, String(limit))
  headers.set(`x-ratelimit-remaining-${kind}`, String(Math.max(0, remaining)))
  headers.set(`x-ratelimit-reset-${kind}`, `${Math.ceil(resetMs / 1000)}s`)
}
