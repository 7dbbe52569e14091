import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type AllowedHost, parseAllowedHost } from './env/allowed-hosts'
import { readOrCreateSecret } from './env/secret-file'

const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  )
  .default([])

/** Addresses and networks in CIDR notation. */
const networks = list.superRefine((entries, context) => {
  for (const [index, entry] of entries.entries())
    if (!isNetwork(entry))
      context.addIssue({
        code: 'custom',
        message: `entry ${index + 1} must look like 10.0.0.7 or 10.0.0.0/8`,
      })
})

function isNetwork(entry: string): boolean {
  const [, address = '', bits = '0'] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
  const version = isIP(address)
  return version !== 0 && Number(bits) <= (version === 6 ? 128 : 32)
}

const allowedHosts = list.transform((entries, context) =>
  entries.flatMap((entry, index): AllowedHost[] => {
    const allowed = parseAllowedHost(entry)
    if (allowed) return [allowed]
    const message = `entry ${index + 1} must look like host, host:11434, *.example.com, 10.0.0.7 or 10.0.0.0/8`
    context.addIssue({ code: 'custom', message })
    return []
  }),
)

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .transform((url) => url.replace(/\/+$/, ''))

/** Who is asked for keys: nothing but an address, for each question brings its own path and query. */
const papitaUrl = httpUrl.refine((address) => {
  const { username, password, search, hash } = new URL(address)
  return username === '' && password === '' && search === '' && hash === ''
}, 'must have no user name, no query and no fragment')

/** A text that can go into a header. */
const token = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'must be one word of visible ASCII characters')

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** Milliseconds of a duration such as `250ms`, `10s`, `30m`; null if it is none. */
function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text.trim())
  return match ? Number(match[1]) * units[match[2] as keyof typeof units] : null
}

// Models that think for minutes say nothing meanwhile, and answers in one piece come at their end: OpenAI's own clients
// wait ten minutes.
const defaultTimeouts = { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000, totalMs: 1_800_000 }
const timeoutNames = { connect: 'connectMs', first: 'firstByteMs', idle: 'idleMs', total: 'totalMs' } as const

const providerTimeouts = z
  .string()
  .default('')
  .transform((text, context) => {
    const timeouts = { ...defaultTimeouts }
    for (const word of text.split(',').filter((part) => part.trim() !== '')) {
      const [name = '', value = ''] = word.split('=', 2)
      const durationMs = parseDuration(value)
      const known = timeoutNames[name.trim() as keyof typeof timeoutNames]
      if (!known || durationMs === null) {
        context.addIssue({
          code: 'custom',
          message: 'must look like connect=10s,first=10m,idle=5m,total=30m',
        })
        return z.NEVER
      }
      timeouts[known] = durationMs
    }
    return timeouts
  })

const limitDefaults = {
  /** Wrong passwords for one account. */
  login: { count: 10, windowMs: 900_000 },
  /** Sign-in attempts that fail from one address. */
  address: { count: 100, windowMs: 900_000 },
  /** Accounts made from one address. */
  register: { count: 100, windowMs: 3_600_000 },
  /** Calls without an account, and calls whose key or token is none, from one address. */
  anonymous: { count: 1200, windowMs: 60_000 },
  // What a user, or an API key, calls. All keys of one user together get four times as much.
  read: { count: 1200, windowMs: 60_000 },
  write: { count: 300, windowMs: 60_000 },
  message: { count: 120, windowMs: 60_000 },
  gateway: { count: 600, windowMs: 60_000 },
  upload: { count: 60, windowMs: 60_000 },
  /** Tests of provider keys: each is a call to wherever the key goes. */
  test: { count: 60, windowMs: 60_000 },
  export: { count: 20, windowMs: 60_000 },
}
type RateClass = keyof typeof limitDefaults
/** What a call counts as. */
export type CallClass = Exclude<RateClass, 'login' | 'address' | 'register' | 'anonymous'>
export type RateLimit = { count: number; windowMs: number }

const rateLimits = z
  .string()
  .default('')
  .transform((text, context): Record<RateClass, RateLimit> | 'off' => {
    if (text.trim() === 'off') return 'off'
    const limits = structuredClone(limitDefaults)
    for (const word of text.split(',').filter((part) => part.trim() !== '')) {
      const match = /^\s*([a-z]+)=(\d{1,6})\/(\w+)\s*$/.exec(word)
      const windowMs = parseDuration(match?.[3] ?? '')
      const known = match?.[1] as RateClass
      if (!match || windowMs === null || !(known in limits)) {
        context.addIssue({ code: 'custom', message: `must be off, or look like login=10/15m,message=120/1m` })
        return z.NEVER
      }
      limits[known] = { count: Number(match[2]), windowMs }
    }
    return limits
  })

const duration = (usual: string) =>
  z
    .string()
    .default(usual)
    .transform((text, context) => {
      const durationMs = parseDuration(text)
      if (durationMs !== null) return durationMs
      context.addIssue({ code: 'custom', message: `must look like ${usual}` })
      return z.NEVER
    })

const secret = z.string().refine((text) => Buffer.byteLength(text) >= 32, 'must be at least 32 bytes long')

const Environment = z.object({
  PORT: z.coerce.number({ error: 'must be a number' }).int().min(0).max(65_535).default(3000),
  HOST: z.string().default('127.0.0.1'),
  APP_URL: httpUrl.optional(),
  DATA_DIR: z
    .string()
    .default('./data')
    .transform((path) => resolve(path)),
  SESSION_LOG_DIR: z
    .string()
    .default('./SessionLog')
    .transform((path) => resolve(path)),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must begin with postgres:// or postgresql://' })
    .optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must begin with redis:// or rediss://' }).optional(),
  AUTH_SECRET: secret.optional(),
  VAULT_KEY: secret.optional(),
  /** The former one, for the start at which VAULT_KEY becomes another. */
  VAULT_KEY_PREVIOUS: secret.optional(),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: httpUrl.default('https://api.openai.com/v1'),
  PAPITA_API_URL: papitaUrl.optional(),
  PAPITA_API_TOKEN: token.optional(),
  ACCESS_KEY: z.string().min(8, 'must be at least 8 characters long').optional(),
  REGISTRATION: z
    .enum(['open', 'invite', 'closed'], { error: 'must be open, invite or closed' })
    .default('open'),
  CORS_ORIGINS: list,
  TRUSTED_PROXIES: networks,
  ALLOWED_PROVIDER_HOSTS: allowedHosts,
  METRICS_TOKEN: z.string().min(16, 'must be at least 16 characters long').optional(),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be fatal, error, warn, info, debug, trace or silent',
    })
    .default('info'),
  RATE_LIMITS: rateLimits,
  PROVIDER_TIMEOUTS: providerTimeouts,
  DRAIN_TIMEOUT: duration('30s'),
  FILE_QUOTA_MB: z.coerce.number({ error: 'must be a number' }).int().min(1).max(1_000_000).default(2048),
})
export type Env = z.output<typeof Environment>

/** The environment is faulty; the message is one line that names every fault. */
export class EnvError extends Error {
  override name = 'EnvError'
}

/** Parses an environment; an empty value counts as absent. Throws EnvError with every fault named, never with a value. */
export function parseEnv(source: Record<string, string | undefined>): Env {
  const given = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value.trim() !== ''),
  )
  const parsed = Environment.safeParse(given)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
  throw new EnvError(`The environment is not usable: ${faults.join('; ')}.`)
}

let parsedEnv: Env | undefined

/** The environment of this process, parsed once at the first call. Throws EnvError. */
export function env(): Env {
  parsedEnv ??= parseEnv(process.env)
  return parsedEnv
}

/** A secret of the server: from the environment, else made once and kept in the data folder, mode 0600. Throws EnvError. */
export function serverSecret(name: 'AUTH_SECRET' | 'VAULT_KEY'): string {
  const given = env()[name]
  if (given) return given
  try {
    return readOrCreateSecret(secretPath(name))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new EnvError(`${name} is not set and its file in DATA_DIR cannot be used: ${reason}`, {
      cause: error,
    })
  }
}

/** Whether there is such a secret already, so that asking for it would not make one. */
export function hasServerSecret(name: 'AUTH_SECRET' | 'VAULT_KEY'): boolean {
  return env()[name] !== undefined || existsSync(secretPath(name))
}

function secretPath(name: 'AUTH_SECRET' | 'VAULT_KEY'): string {
  return resolve(env().DATA_DIR, name.toLowerCase().replace('_', '-'))
}
