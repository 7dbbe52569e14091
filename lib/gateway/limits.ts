import { type Reservation, writeLimits } from '../usage'

/**
 * Tells the limits of the caller's own API key, in OpenAI's headers, where they are narrower than what the model server
 * says of its own.
 */
export function tellLimits(headers: Headers, reservation: Reservation | null): void {
  if (reservation === null) return
  const { requests, tokens } = reservation.limits
  const ours = writeLimits({
    requests: isNarrower(headers, 'requests', requests) ? requests : null,
    tokens: isNarrower(headers, 'tokens', tokens) ? tokens : null,
  })
  for (const [name, value] of Object.entries(ours)) headers.set(name, value)
}

function isNarrower(headers: Headers, kind: string, allowance: { remaining: number } | null): boolean {
  const theirs = headers.get(`x-ratelimit-remaining-${kind}`)
  return allowance !== null && (theirs === null || !(Number(theirs) < allowance.remaining))
}
