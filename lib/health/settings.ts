import type { SettingGroup } from '../contracts/admin'
import { env } from '../env'
import { version } from './version'

const sayNothing = 'None'

/** A length of time, such as `15 min`. */
function sayTime(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`
  if (ms % 60_000 === 0) return `${ms / 60_000} min`
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`
}

/** That a secret is there, and never which. */
function sayWhether(secret: string | undefined): string {
  return secret === undefined ? 'Not set' : 'Set'
}

/** An address without what could be a secret in it. */
function sayAddress(address: string | undefined): string {
  if (address === undefined) return 'Not set'
  const { origin, pathname } = new URL(address)
  return origin + pathname.replace(/\/$/, '')
}

const registrations = {
  open: 'Open: anyone who reaches this server',
  invite: 'By invitation of an admin',
  closed: 'Closed: nobody',
}

/** What the environment of this server says, for admins to read; of secrets only whether they are there. */
export function listSettings(): SettingGroup[] {
  return [listAccounts(), listReach(), listModels(), listLimits(), listRunning()]
}

function listAccounts(): SettingGroup {
  const { REGISTRATION, ACCESS_KEY } = env()
  return {
    title: 'Accounts',
    settings: [
      ['REGISTRATION', 'Who makes accounts', registrations[REGISTRATION]],
      ['ACCESS_KEY', 'Shared access key', sayWhether(ACCESS_KEY)],
    ],
  }
}

function listReach(): SettingGroup {
  const { HOST, PORT, APP_URL, TRUSTED_PROXIES, CORS_ORIGINS } = env()
  return {
    title: 'How it is reached',
    settings: [
      ['HOST', 'Listens on', `${HOST}, port ${PORT}`],
      ['APP_URL', 'Public address', sayAddress(APP_URL)],
      ['TRUSTED_PROXIES', 'Proxies that are believed', TRUSTED_PROXIES.join(', ') || sayNothing],
      ['CORS_ORIGINS', 'Sites that may call', CORS_ORIGINS.join(', ') || sayNothing],
    ],
  }
}

function listModels(): SettingGroup {
  const { OPENAI_BASE_URL, OPENAI_API_KEY, ALLOWED_PROVIDER_HOSTS, PROVIDER_TIMEOUTS, ...rest } = env()
  const { connectMs, firstByteMs, idleMs, totalMs } = PROVIDER_TIMEOUTS
  const waits = `${sayTime(connectMs)} to connect, ${sayTime(firstByteMs)} for the first byte, ${sayTime(idleMs)} in silence, ${sayTime(totalMs)} in all`
  return {
    title: 'Models and keys',
    settings: [
      ['OPENAI_BASE_URL', 'OpenAI is at', sayAddress(OPENAI_BASE_URL)],
      ['OPENAI_API_KEY', 'The server’s own key', sayWhether(OPENAI_API_KEY)],
      ['PAPITA_API_URL', 'Papita', sayAddress(rest.PAPITA_API_URL)],
      ['PAPITA_API_TOKEN', 'Token for Papita', sayWhether(rest.PAPITA_API_TOKEN)],
      ['ALLOWED_PROVIDER_HOSTS', 'Inner places that keys may go to', sayHosts(ALLOWED_PROVIDER_HOSTS)],
      ['PROVIDER_TIMEOUTS', 'Waits for a model', waits],
    ],
  }
}

function sayHosts(hosts: ReturnType<typeof env>['ALLOWED_PROVIDER_HOSTS']): string {
  const words = hosts.map((host) => {
    const port = host.port === null ? '' : `:${host.port}`
    if (host.kind === 'network') return `${host.address}/${host.bits}${port}`
    return `${host.kind === 'under' ? '*.' : ''}${host.name}${port}`
  })
  return words.join(', ') || sayNothing
}

const limitNames: Record<string, string> = {
  login: 'Wrong passwords, per account',
  address: 'Failed sign-ins, per address',
  register: 'New accounts, per address',
  anonymous: 'Calls without an account, per address',
  read: 'Reading, per user and key',
  write: 'Writing, per user and key',
  message: 'Messages, per user and key',
  gateway: 'Calls of the gateway, per user and key',
  upload: 'Uploads, per user and key',
  test: 'Tests of provider keys, per user and key',
  export: 'Exports, per user and key',
}

function listLimits(): SettingGroup {
  const limits = env().RATE_LIMITS
  const title = 'Limits'
  if (limits === 'off') return { title, settings: [['RATE_LIMITS', 'Limits', 'Off']] }
  return {
    title,
    settings: Object.entries(limits).map(([name, { count, windowMs }]) => [
      'RATE_LIMITS',
      limitNames[name] ?? name,
      `${count} in ${sayTime(windowMs)}`,
    ]),
  }
}

function listRunning(): SettingGroup {
  const { DRAIN_TIMEOUT, LOG_LEVEL, DATABASE_URL, REDIS_URL, METRICS_TOKEN, ...rest } = env()
  return {
    title: 'This server',
    settings: [
      ['', 'Version', `AL-Chat ${version}, Node ${process.versions.node}`],
      [
        'DATABASE_URL',
        'Database',
        DATABASE_URL === undefined ? 'Its own, in DATA_DIR' : 'A Postgres of yours',
      ],
      ['REDIS_URL', 'Redis', sayWhether(REDIS_URL)],
      ['DATA_DIR', 'Data', rest.DATA_DIR],
      ['SESSION_LOG_DIR', 'Session log', rest.SESSION_LOG_DIR],
      ['DRAIN_TIMEOUT', 'Waits for answers when told to stop', sayTime(DRAIN_TIMEOUT)],
      ['METRICS_TOKEN', 'Token for /metrics', sayWhether(METRICS_TOKEN)],
      ['LOG_LEVEL', 'Logs', LOG_LEVEL],
    ],
  }
}
