import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Secret } from './searcher.ts'

const names = [
  'AUTH_SECRET',
  'VAULT_KEY',
  'OPENAI_API_KEY',
  'PAPITA_API_TOKEN',
  'ACCESS_KEY',
  'METRICS_TOKEN',
]
const addresses = ['DATABASE_URL', 'REDIS_URL', 'PAPITA_API_URL', 'OPENAI_BASE_URL']

/** The secrets in a server's environment, passwords within addresses included. */
export function secretsOfEnvironment(env: Record<string, string | undefined>): Secret[] {
  const passwords = addresses.flatMap((name) => {
    const text = env[name] ?? ''
    return URL.canParse(text) ? [decodeURIComponent(new URL(text).password)] : []
  })
  const values = [...names.map((name) => env[name] ?? ''), ...passwords]
  return values.filter((value) => value.trim() !== '').map((value) => ({ kind: 'environment', value }))
}

/** Where a server keeps the secrets that it made for itself: the only files in which they may be. */
export const secretFiles = ['auth-secret', 'vault-key', 'postgres/cluster/al-chat.password']

/** The secrets that a server made for itself. */
export function secretsOfFolder(dataDir: string): Secret[] {
  return secretFiles
    .map((name) => join(dataDir, name))
    .filter((file) => existsSync(file))
    .map((file) => ({ kind: 'environment', value: readFileSync(file, 'utf8').trim() }))
}
