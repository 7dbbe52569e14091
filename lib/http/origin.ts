import { env } from '../env'
import { AppError } from '../errors'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses an unsafe request that another site made a browser send.
 * A request that carries cookies and no key of its own must say that it comes from this site.
 * Throws forbidden.
 */
export function refuseForeignOrigin(request: Request): void {
  if (safeMethods.has(request.method)) return
  const origin = request.headers.get('origin')
  if (origin !== null) {
    if (isOwnOrigin(request, origin) || env().CORS_ORIGINS.includes(origin)) return
    throw new AppError('forbidden', 'This request comes from another site.')
  }
  const bringsKey = request.headers.has('authorization') || request.headers.has('x-api-key')
  if (request.headers.has('cookie') && !bringsKey) {
    throw new AppError(
      'forbidden',
      'A request with a session cookie must carry an Origin header of this site.',
    )
  }
}

function isOwnOrigin(request: Request, origin: string): boolean {
  if (!URL.canParse(origin)) return false
  if (env().APP_URL && new URL(env().APP_URL ?? '').origin === origin) return true
  return new URL(origin).host === request.headers.get('host')
}

const exposedHeaders = [
  'x-request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'idempotent-replayed',
  'x-al-cost-usd',
  'x-al-cache',
  ...['limit', 'remaining', 'reset'].flatMap((what) => [
    `x-ratelimit-${what}-requests`,
    `x-ratelimit-${what}-tokens`,
  ]),
].join(', ')

/** CORS headers for an origin that `CORS_ORIGINS` lists; none for all others, and never a wildcard. */
export function corsHeaders(request: Request): [string, string][] {
  const origin = request.headers.get('origin')
  if (!origin || !env().CORS_ORIGINS.includes(origin)) return []
  return [
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
    ['access-control-expose-headers', exposedHeaders],
    ['vary', 'origin'],
  ]
}
