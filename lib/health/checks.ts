import { constants } from 'node:fs'
import { access, mkdir, statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CredentialFailure } from '../contracts/credentials'
import type { HealthCheck } from '../contracts/health'
import { db } from '../db'
import { env } from '../env'
import { log } from '../log'
import { listOpenCircuits } from '../providers'
import { findServingKey } from '../vault'

const databaseLimitMs = 1000
const scarceBytes = 200 * 1024 * 1024

/** Whether the database answers within a second. */
export async function checkDatabase(): Promise<HealthCheck> {
  const startedAt = performance.now()
  const late = new AbortController()
  try {
    const answer = Promise.resolve(db().$queryRaw`SELECT 1`).then(() => true)
    const answered = await Promise.race([
      answer,
      sleep(databaseLimitMs, false, { signal: late.signal, ref: false }),
    ])
    if (!answered) return { status: 'down', detail: 'The database does not answer within 1 s.' }
    return { status: 'healthy', latency_ms: Math.round(performance.now() - startedAt) }
  } catch (err) {
    log().warn({ err }, 'health: the database is out')
    return { status: 'down', detail: 'The database does not answer.' }
  } finally {
    late.abort()
  }
}

const servedBy = {
  papita: 'A key that Papita has for everyone serves.',
  global: 'A key for everyone serves.',
  environment: 'The key in OPENAI_API_KEY serves.',
  demo: 'There is no key for everyone: the demo model answers those who have none of their own.',
} as const

const faults: Record<CredentialFailure, string> = {
  refused: 'its provider refuses it',
  quota: 'there is no credit left for it',
  unreachable: 'its address does not answer',
  wrong_api: 'its address does not answer as a model provider does',
  not_allowed: 'this server may not call its address',
}

/** Keys whose servers failed so often in a row that they are left alone for a moment. */
function resting(): HealthCheck | null {
  const count = listOpenCircuits().length
  if (count === 0) return null
  const whose = count === 1 ? 'The model server of one key' : `The model servers of ${count} keys`
  return {
    status: 'degraded',
    detail: `${whose} failed several times in a row; calls go to the next key, or are refused for half a minute.`,
  }
}

/**
 * Which key serves someone who has none, and what was last said against it. The demo model alone is a state to choose,
 * not a fault.
 */
export async function checkProvider(hasDatabase: boolean): Promise<HealthCheck> {
  if (!hasDatabase) return { status: 'down', detail: 'Keys cannot be read while the database is out.' }
  try {
    const { source, failure } = await findServingKey(null, { projectId: null, provider: 'auto' })
    if (failure) return { status: 'degraded', detail: `A key for everyone serves, but ${faults[failure]}.` }
    const rest = resting()
    if (rest) return rest
    return {
      status: 'healthy',
      detail: source in servedBy ? servedBy[source as keyof typeof servedBy] : undefined,
    }
  } catch (err) {
    log().warn({ err }, 'health: no key was found')
    return { status: 'down', detail: 'Keys cannot be read.' }
  }
}

/** Whether the data folder can be written to and has 200 MB left. */
export async function checkStorage(): Promise<HealthCheck> {
  try {
    const { DATA_DIR } = env()
    // With a database and secrets from outside, nothing else has made it.
    await mkdir(DATA_DIR, { recursive: true, mode: 0o700 })
    await access(DATA_DIR, constants.W_OK)
    const { bavail, bsize } = await statfs(DATA_DIR)
    const freeMegabytes = Math.floor((bavail * bsize) / 1024 / 1024)
    if (bavail * bsize >= scarceBytes) return { status: 'healthy' }
    return { status: 'degraded', detail: `Only ${freeMegabytes} MB are free on the disk of the data folder.` }
  } catch (err) {
    log().warn({ err }, 'health: the data folder cannot be written to')
    return { status: 'degraded', detail: 'The data folder cannot be written to.' }
  }
}
