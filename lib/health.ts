import type { Actor, Origin } from './auth'
import type { SettingGroup } from './contracts/admin'
import type { CredentialTest } from './contracts/credentials'
import type { Health, ProviderInfo } from './contracts/health'
import { defaultModel } from './contracts/models'
import { asAppError } from './errors'
import { checkDatabase, checkProvider, checkStorage } from './health/checks'
import { writeState } from './health/metrics'
import { version } from './health/version'
import { listOpenCircuits, testKey } from './providers'
import { remember } from './remember'
import { checkPapita, findServingKey, type LentKey, noteOutcome, withStoredCredential } from './vault'

export { requireMetricsReader } from './health/metrics'
export { listSettings } from './health/settings'
export { metricsType } from './metrics'

/** How long an answer serves again, so that asking often costs nothing. */
const freshMs = 1000

type Known = { at: number; answer: Promise<Health> }

/** How the service is: each check with its state, and never a secret. The same answer serves for a second. */
export async function readHealth(): Promise<Health> {
  const known = remember<{ last: Known | null }>('health', () => ({ last: null }))
  if (!known.last || performance.now() - known.last.at > freshMs) {
    known.last = { at: performance.now(), answer: examine() }
  }
  return known.last.answer
}

/** What this process has counted, and how it is now, as text for Prometheus. */
export async function readMetrics(): Promise<string> {
  return writeState(await readHealth())
}

async function examine(): Promise<Health> {
  const looked = checkDatabase()
  const [database, papita, provider, storage] = await Promise.all([
    looked,
    checkPapita(),
    // Which key serves is in the database, so asking while it is out would only wait.
    looked.then(({ status }) => checkProvider(status !== 'down')),
    checkStorage(),
  ])
  const checks = { database, papita, provider, storage }
  const isWell = Object.values(checks).every(({ status }) => status === 'healthy' || status === 'off')
  return {
    status: isWell ? 'healthy' : 'degraded',
    service: 'AL-Chat',
    version,
    uptime_seconds: Math.floor(process.uptime()),
    timestamp: new Date().toISOString(),
    checks,
  }
}

const partNames = { database: 'Database', papita: 'Papita', provider: 'Models', storage: 'Disk' } as const
const stateNames = { healthy: 'Good', degraded: 'Not as it should be', down: 'Out', off: 'Not used' } as const

/** How each part fares, and which keys are left alone because their servers fail, for admins to read. */
export async function listHealth(): Promise<SettingGroup> {
  const { checks } = await readHealth()
  const parts = Object.entries(partNames).map(([part, name]): [string, string, string] => {
    const { status, detail } = checks[part as keyof typeof partNames]
    return ['', name, detail && detail !== '' ? `${stateNames[status]}. ${detail}` : stateNames[status]]
  })
  const circuits = listOpenCircuits().map(({ label, triesAgainAt }): [string, string, string] => {
    const time = new Date(triesAgainAt).toISOString().slice(11, 19)
    return ['', `Key ${label}`, `Its server failed five times within 30 s. It is tried again at ${time} UTC.`]
  })
  return { title: 'Health', settings: [...parts, ...circuits] }
}

const sourceNames = {
  papita: 'papita',
  user: 'vault',
  project: 'vault',
  global: 'vault',
  environment: 'environment',
  demo: 'demo',
} as const

/** Which provider would answer the actor outside of any project, or in the one that an API key is bound to, without its key. */
export async function describeProvider(actor: Actor): Promise<ProviderInfo> {
  const serving = await findServingKey(actor, { projectId: actor.boundTo, provider: 'auto' })
  const isDemo = serving.source === 'demo'
  return {
    configured: !isDemo,
    source: sourceNames[serving.source],
    provider: serving.provider,
    default_model: isDemo ? 'demo' : defaultModel,
    base_url: isDemo ? null : serving.baseUrl,
    key_last4: serving.last4,
  }
}

/** How many models a key opens, noted for it; what is wrong with it is noted too, and thrown. */
async function tryKey(key: LentKey): Promise<number> {
  try {
    const { models } = await testKey(key, new AbortController().signal)
    await noteOutcome(key, null)
    return models
  } catch (error) {
    await noteOutcome(key, error)
    throw error
  }
}

/** Tries a stored key with one cheap call to its host; what is wrong with it is told, not thrown. Throws not_found, forbidden. */
export async function testCredential(
  actor: Actor,
  credentialId: string,
  origin: Origin,
): Promise<CredentialTest> {
  let startedAt = performance.now()
  const lasted = () => Math.round(performance.now() - startedAt)
  try {
    const models = await withStoredCredential(actor, credentialId, origin, async (key) => {
      startedAt = performance.now()
      return tryKey(key)
    })
    return { ok: true, latency_ms: lasted(), models }
  } catch (error) {
    const { code, message } = asAppError(error)
    const isVerdict = code.startsWith('provider_') || code === 'invalid_input'
    if (!isVerdict) throw error
    return { ok: false, latency_ms: lasted(), error: message }
  }
}
