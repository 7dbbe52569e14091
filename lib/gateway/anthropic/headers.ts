import type { IncomingHttpHeaders } from 'node:http'

const limits = ['requests', 'tokens']

/**
 * What of Anthropic's head is for the caller, by OpenAI's names: what comes, `retry-after`, how much of the limits is left
 * (https://platform.claude.com/docs/en/api/rate-limits). Nothing that names the request or the organization.
 */
export function toChatHeaders(given: IncomingHttpHeaders, now = Date.now()): Headers {
  const headers = new Headers()
  for (const name of ['content-type', 'retry-after', 'x-should-retry']) {
    const value = given[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  for (const limited of limits) {
    const told = (what: string) => given[`anthropic-ratelimit-${limited}-${what}`]
    const [limit, remaining, reset] = [told('limit'), told('remaining'), told('reset')]
    if (typeof limit === 'string') headers.set(`x-ratelimit-limit-${limited}`, limit)
    if (typeof remaining === 'string') headers.set(`x-ratelimit-remaining-${limited}`, remaining)
    const wait = typeof reset === 'string' ? toWait(Date.parse(reset) - now) : null
    if (wait !== null) headers.set(`x-ratelimit-reset-${limited}`, wait)
  }
  return headers
}

/** A time to wait as OpenAI writes it: `250ms`, `7s`, `1m30s`. */
function toWait(ms: number): string | null {
  if (!Number.isFinite(ms)) return null
  if (ms < 1000) return `${Math.max(0, Math.ceil(ms))}ms`
  const seconds = Math.ceil(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`
}
