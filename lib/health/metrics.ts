import { createHash, timingSafeEqual } from 'node:crypto'
import type { Health } from '../contracts/health'
import { poolState } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { isFromThisMachine } from '../http'
import { writeMetrics } from '../metrics'
import { countKeys } from '../vault'

/**
 * Lets in who brings `METRICS_TOKEN`, and who asks from this machine without a proxy in between. For all others there is
 * nothing here, or, where there is a token, they lack it. Throws not_found, unauthenticated.
 */
export async function requireMetricsReader(request: Request): Promise<null> {
  const { METRICS_TOKEN } = env()
  const [, given] = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
  if (METRICS_TOKEN && given !== undefined && isSame(given, METRICS_TOKEN)) return null
  const isMistaken = METRICS_TOKEN !== undefined && given !== undefined
  if (!isMistaken && isFromThisMachine(request)) return null
  if (METRICS_TOKEN) throw new AppError('unauthenticated', 'Send METRICS_TOKEN as a bearer token.')
  throw new AppError('not_found', 'There is nothing at this address.')
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

/** What this process has counted, with its health, as text for Prometheus. */
export async function writeState({ checks }: Health): Promise<string> {
  const parts = Object.entries(checks).map(([part, { status }]) => [part, status] as const)
  const keys = checks.database.status === 'down' ? null : await countKeys().catch(() => null)
  return writeMetrics({ pool: poolState(), checks: Object.fromEntries(parts), keys })
}
