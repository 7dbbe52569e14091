import { afterEach, expect, test, vi } from 'vitest'
import { parseEnv } from '../../lib/env'

afterEach(() => vi.unstubAllEnvs())

/** The module as it is on a server with this environment. */
async function reachOf(environment: Record<string, string>) {
  for (const name of ['HOST', 'APP_URL', 'TRUSTED_PROXIES', 'ALLOWED_PROVIDER_HOSTS', 'OPENAI_BASE_URL'])
    vi.stubEnv(name, environment[name] ?? '')
  vi.resetModules()
  const { requireCallable, ...reach } = await import('../../lib/reach')
  const isCallable = (baseUrl: string) => {
    try {
      requireCallable(baseUrl)
      return true
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_input', issues: [{ path: 'baseUrl' }] })
      return false
    }
  }
  return { ...reach, requireCallable, isCallable }
}

const forOthers = { HOST: '0.0.0.0' }

// Spellings that a URL takes for an address; each of them is what it leads to.
test.each([
  'http://127.0.0.1',
  'http://127.1',
  'http://127.0.1',
  'http://0x7f000001',
  'http://0x7f.0.0.1',
  'http://0X7F.1',
  'http://017700000001',
  'http://0177.0.0.1',
  'http://2130706433',
  'http://127.0.0.1.',
  'http://127.000.000.001',
  'http://１２７.0.0.1',
  'http://127。0。0。1',
  'http://①②⑦.0.0.1',
  'http://%31%32%37.0.0.1',
  'http://0',
  'http://0.0.0.0',
  'http://localhost',
  'http://localhost.',
  'http://LOCALHOST:11434',
  'http://ⓛocalhost',
  'http://anything.localhost',
  'http://[::1]',
  'http://[0:0:0:0:0:0:0:1]',
  'http://[::]',
  'http://[::ffff:127.0.0.1]',
  'http://[::ffff:7f00:1]',
  'http://[::127.0.0.1]',
  'http://[64:ff9b::127.0.0.1]',
  'http://[64:ff9b::7f00:1]',
  'http://[2002:7f00:1::]',
  'http://169.254.169.254/latest/meta-data',
  'http://2852039166',
  'http://0xa9fea9fe',
  'http://[fd00:ec2::254]',
  'http://[fe80::1]',
  'https://10.0.0.5:8443/v1',
  'https://167772165',
  'https://192.168.1.1',
  'https://100.64.0.1',
  'https://255.255.255.255',
])('%s is not kept as the address of a key, on a server for others', async (baseUrl) => {
  const { isCallable } = await reachOf(forOthers)
  expect(isCallable(baseUrl)).toBe(false)
})

test.each([
  'https://api.openai.com/v1',
  'https://8.8.8.8/v1',
  'https://[2606:4700:7::a29f:98f5]/v1',
  'https://localhost.example.com/v1',
  'https://notlocalhost/v1',
])('%s is kept; a name shows when it is looked up', async (baseUrl) => {
  const { isCallable } = await reachOf(forOthers)
  expect(isCallable(baseUrl)).toBe(true)
})

test('the refusal names the address and what an admin can do', async () => {
  const { requireCallable } = await reachOf(forOthers)
  expect(() => requireCallable('http://10.0.0.5/v1')).toThrow(
    "AL-Chat does not call addresses inside the server's own network (10.0.0.5). An admin can allow it with ALLOWED_PROVIDER_HOSTS.",
  )
})

test.each([
  ['by default', {}, true],
  ['on localhost', { HOST: 'localhost' }, true],
  ['on ::1', { HOST: '::1' }, true],
  ['with its own address as the public one', { APP_URL: 'http://127.0.0.1:3000' }, true],
  ['with localhost as the public one', { APP_URL: 'http://localhost:3000' }, true],
  ['that serves others', { HOST: '0.0.0.0' }, false],
  ['that serves others by IPv6', { HOST: '::' }, false],
  ['on an address of the network', { HOST: '192.168.1.2' }, false],
  ['with a public address', { APP_URL: 'https://chat.example.com' }, false],
  ['behind a proxy', { TRUSTED_PROXIES: '127.0.0.1' }, false],
])('a server %s', async (_, environment, isAllowed) => {
  const { isLoopbackAllowed, isCallable } = await reachOf(environment)
  expect(isLoopbackAllowed()).toBe(isAllowed)
  for (const own of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]'])
    expect(isCallable(`http://${own}:11434/v1`), own).toBe(isAllowed)
  // A single machine has a network around it all the same.
  for (const other of ['10.0.0.5', '169.254.169.254', '0.0.0.0', '[::]', '192.168.1.1'])
    expect(isCallable(`http://${other}/v1`), other).toBe(false)
})

test('the host of OPENAI_BASE_URL is the word of who runs the server, at its port', async () => {
  const { isCallable } = await reachOf({ ...forOthers, OPENAI_BASE_URL: 'http://10.0.0.5:8000/v1' })
  expect(isCallable('http://10.0.0.5:8000/other')).toBe(true)
  expect(isCallable('http://10.0.0.5/v1')).toBe(false)
  expect(isCallable('http://10.0.0.6:8000/v1')).toBe(false)
  const local = await reachOf({ ...forOthers, OPENAI_BASE_URL: 'http://localhost/v1' })
  expect(local.isCallable('http://localhost:80/v1')).toBe(true)
  expect(local.isCallable('http://localhost:81/v1')).toBe(false)
})

test.each([
  ['10.0.0.5', ['http://10.0.0.5', 'https://10.0.0.5:1/v1', 'http://[::ffff:10.0.0.5]'], ['http://10.0.0.6']],
  ['10.0.0.5:80', ['http://10.0.0.5', 'http://167772165:80'], ['https://10.0.0.5', 'http://10.0.0.5:81']],
  ['10.1.0.0/16', ['http://10.1.255.255:9'], ['http://10.2.0.0', 'http://10.0.255.255']],
  ['fd00::/8', ['http://[fd12::1]'], ['http://[fc00::1]', 'http://[fe80::1]']],
  ['fd00::5', ['http://[fd00:0::5]:8080'], ['http://[fd00::6]']],
  ['[fd00::5]:8080', ['http://[fd00::5]:8080'], ['http://[fd00::5]']],
  ['localhost', ['http://localhost:1', 'http://LOCALHOST.'], ['http://127.0.0.1', 'http://a.localhost']],
  ['localhost:11434', ['http://localhost:11434'], ['http://localhost']],
  ['*.localhost', ['http://a.localhost'], ['http://localhost']],
  ['127.0.0.0/8', ['http://127.9.9.9'], ['http://[::1]', 'http://10.0.0.1']],
  ['Ollama.LAN., 127.1', ['http://127.0.0.1'], ['http://127.0.0.2']],
])('ALLOWED_PROVIDER_HOSTS=%s allows just that', async (list, allowed, others) => {
  const { isCallable } = await reachOf({ ...forOthers, ALLOWED_PROVIDER_HOSTS: list })
  for (const baseUrl of allowed) expect(isCallable(baseUrl), baseUrl).toBe(true)
  for (const baseUrl of others) expect(isCallable(baseUrl), baseUrl).toBe(false)
})

test.each([
  'http://10.0.0.5',
  '10.0.0.5/33',
  '10.0.0.5/',
  'fd00::/129',
  '::ffff:10.0.0.0/104',
  '10.0.0.0/8:80',
  'host:0',
  'host:70000',
  'host:port',
  '*',
  '*.',
  '*.10.0.0.5',
  'a*.example.com',
  'user@host',
  'host/path',
  'host?query',
  'fe80::1%eth0',
  'a b',
])('ALLOWED_PROVIDER_HOSTS with %s is a fault that is named at start, without its value', (entry) => {
  const read = () => parseEnv({ ALLOWED_PROVIDER_HOSTS: `ollama.lan, ${entry}` })
  expect(read).toThrow(/ALLOWED_PROVIDER_HOSTS entry 2 must look like host, /)
})

test('what is called besides public addresses is told as it was written in ALLOWED_PROVIDER_HOSTS', async () => {
  const entries = [
    'gpu.example',
    '*.lab.example:8443',
    '10.1.0.0/16',
    '10.2.0.5',
    'fd12::1',
    '[fd12::2]:8000',
  ]
  const { describeReach } = await reachOf({ HOST: '0.0.0.0', ALLOWED_PROVIDER_HOSTS: entries.join(',') })
  expect(describeReach()).toEqual({ loopback: false, allowed: entries })
  const alone = await reachOf({})
  expect(alone.describeReach()).toEqual({ loopback: true, allowed: [] })
})
