import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { EnvError, parseEnv } from '../../lib/env'
import { readOrCreateSecret } from '../../lib/env/secret-file'
import { makeOwnFolder } from '../support/own-folder'

test('an empty environment is a complete one', () => {
  expect(parseEnv({})).toMatchObject({
    PORT: 3000,
    HOST: '127.0.0.1',
    REGISTRATION: 'open',
    LOG_LEVEL: 'info',
  })
  expect(parseEnv({ OPENAI_API_KEY: '', PORT: ' ' })).toMatchObject({ PORT: 3000 })
})

test('every fault is named in one line, and no value is', () => {
  const faulty = {
    PORT: 'http',
    AUTH_SECRET: 'canary-short',
    DATABASE_URL: 'mysql://canary-user@host/db',
    REGISTRATION: 'perhaps',
    LOG_LEVEL: 'loud',
    RATE_LIMITS: 'login=lots',
    PROVIDER_TIMEOUTS: 'connect=soon',
    DRAIN_TIMEOUT: 'later',
  }
  expect(() => parseEnv(faulty)).toThrow(EnvError)
  const message = (() => {
    try {
      parseEnv(faulty)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  })()
  for (const name of Object.keys(faulty)) expect(message).toContain(name)
  expect(message).not.toMatch(/canary|\n/)
})

test('a proxy that is neither an address nor a network is named, each of them, and not by its value', () => {
  const faulty = ['10.0.0.0/99', '/abc', 'nonsense', '10.0.0.0/', '::1/129', '10.0.0.0/8/9', 'fe80::1%eth0']
  const read = (TRUSTED_PROXIES: string) => () => parseEnv({ TRUSTED_PROXIES })
  for (const entry of faulty) expect(read(`127.0.0.1, ${entry}`), entry).toThrow(/TRUSTED_PROXIES entry 2 /)
  expect(read(faulty.join())).toThrow(/entry 1 .*entry 7 /)
  expect(read('nonsense')).not.toThrow(/nonsense/)
  const sound = ['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0', '10.0.0.1/32']
  expect(read(sound.join(', '))().TRUSTED_PROXIES).toEqual(sound)
})

test('durations and limits are read with their units', () => {
  const { PROVIDER_TIMEOUTS, RATE_LIMITS } = parseEnv({
    PROVIDER_TIMEOUTS: 'connect=250ms,total=2h',
    RATE_LIMITS: 'login=3/10s',
  })
  expect(PROVIDER_TIMEOUTS).toMatchObject({ connectMs: 250, totalMs: 7_200_000, idleMs: 300_000 })
  expect(RATE_LIMITS).toMatchObject({ login: { count: 3, windowMs: 10_000 }, message: { count: 120 } })
  expect(parseEnv({ RATE_LIMITS: 'off' }).RATE_LIMITS).toBe('off')
  expect(parseEnv({}).DRAIN_TIMEOUT).toBe(30_000)
  expect(parseEnv({ DRAIN_TIMEOUT: '5m' }).DRAIN_TIMEOUT).toBe(300_000)
})

test('.env.example lists every variable, and only those', () => {
  const example = readFileSync(resolve('.env.example'), 'utf8')
  const listed = [...example.matchAll(/^# ([A-Z_]+)=/gm)].map(([, name]) => name).sort()
  expect(listed).toEqual(Object.keys(parseEnv({})).concat(absent).sort())
})

// Variables without a default are not in a parsed empty environment.
const absent = [
  'APP_URL',
  'DATABASE_URL',
  'REDIS_URL',
  'AUTH_SECRET',
  'VAULT_KEY',
  'VAULT_KEY_PREVIOUS',
  'OPENAI_API_KEY',
  'PAPITA_API_URL',
  'PAPITA_API_TOKEN',
  'ACCESS_KEY',
  'METRICS_TOKEN',
]

test('a generated secret is made once, is long enough, and is readable by its owner alone', () => {
  const folder = makeOwnFolder('secret')
  try {
    const path = join(folder.path, 'deep', 'secret')
    const made = readOrCreateSecret(path)
    expect(Buffer.from(made, 'base64')).toHaveLength(32)
    expect(readOrCreateSecret(path)).toBe(made)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  } finally {
    folder.remove()
  }
})
