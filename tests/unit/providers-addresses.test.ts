import http, { type Agent } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { Resolve } from '../../lib/reach'

type Place = { address: string; family: number }
type Server = { port: number; requests: string[]; connections: () => number; close(): Promise<void> }

const servers: Server[] = []
const agents: Agent[] = []

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy()
  await Promise.all(servers.splice(0).map((server) => server.close()))
  vi.unstubAllEnvs()
})

/** A server on one of the addresses of this machine. Each stands for another host. */
async function listen(address: string, port = 0): Promise<Server> {
  const requests: string[] = []
  let connections = 0
  const server = http.createServer((request, response) => {
    requests.push(`${request.headers.host} ${request.headers.authorization}`)
    response.end(address)
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  const started: Server = {
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  servers.push(started)
  return started
}

const at = (...addresses: string[]): Place[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

/** Answers one question after the other; the last answer again and again. */
function answering(...answers: (Place[] | Error)[]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = []
  const resolve: Resolve = (hostname, _options, callback) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? []
    asked.push(hostname)
    setImmediate(() => (answer instanceof Error ? callback(answer, []) : callback(null, answer)))
  }
  return { resolve, asked }
}

/** A server for others, on which 127.0.0.1 is allowed at one port, as a public address would be, and nothing else is. */
async function agentWith(resolve: Resolve | undefined, allowed: string): Promise<Agent> {
  vi.stubEnv('HOST', '0.0.0.0')
  vi.stubEnv('ALLOWED_PROVIDER_HOSTS', allowed)
  vi.resetModules()
  const { createAgent } = await import('../../lib/providers/agent')
  const agent = createAgent('http:', resolve)
  agents.push(agent)
  return agent
}

function ask(agent: Agent, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer canary' }
    http
      .get({ host, port, agent, headers }, (response) => {
        response.setEncoding('utf8')
        let body = ''
        response.on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve(body))
      })
      .on('error', reject)
  })
}

// What is behind the name is not told: that would make a map of the network.
const refused = { name: 'RefusedAddress', message: expect.stringMatching(/ is not a place to connect to$/) }
const toldOfName = (name: string) => ({
  ...refused,
  host: name,
  message: `${name} is not a place to connect to`,
})

test('a name is looked up once for a connection, and the connection goes where the check was', async () => {
  const outside = await listen('127.0.0.1')
  const { resolve, asked } = answering(at('127.0.0.1'), at('127.0.0.2'))
  const agent = await agentWith(resolve, `127.0.0.1:${outside.port}`)
  expect(await ask(agent, 'models.example', outside.port)).toBe('127.0.0.1')
  expect(asked).toEqual(['models.example'])
})

test('a name that leads outside at first and inside later does not get there (DNS rebinding)', async () => {
  const outside = await listen('127.0.0.1')
  const inside = await listen('127.0.0.2', outside.port)
  const { resolve, asked } = answering(at('127.0.0.1'), at('127.0.0.2'))
  const agent = await agentWith(resolve, `127.0.0.1:${outside.port}`)
  await ask(agent, 'rebinding.example', outside.port)
  agent.destroy()
  await expect(ask(agent, 'rebinding.example', outside.port)).rejects.toMatchObject(refused)
  expect(asked).toHaveLength(2)
  expect(inside.connections()).toBe(0)
})

test('what is kept open serves the same host without another look-up, and no other name', async () => {
  const outside = await listen('127.0.0.1')
  const { resolve, asked } = answering(at('127.0.0.1'), at('127.0.0.2'))
  const agent = await agentWith(resolve, `127.0.0.1:${outside.port}`)
  for (let call = 0; call < 3; call += 1) await ask(agent, 'models.example', outside.port)
  expect(asked).toEqual(['models.example'])
  expect(outside.connections()).toBe(1)
  await expect(ask(agent, 'other.example', outside.port)).rejects.toMatchObject(refused)
  expect(outside.requests).toHaveLength(3)
})

test.each([
  ['the private one last', at('127.0.0.1', '127.0.0.2')],
  ['the private one first', at('127.0.0.2', '127.0.0.1')],
  ['the private one in IPv6', at('127.0.0.1', '::1')],
  ['the private one mapped', at('127.0.0.1', '::ffff:127.0.0.2')],
  ['metadata among them', at('127.0.0.1', '8.8.8.8', '169.254.169.254')],
  ['something that is no address', at('127.0.0.1', 'localhost')],
])('a name with several addresses is refused for one of them: %s', async (_, places) => {
  const outside = await listen('127.0.0.1')
  const inside = await listen('127.0.0.2', outside.port)
  const agent = await agentWith(answering(places).resolve, `127.0.0.1:${outside.port}`)
  await expect(ask(agent, 'mixed.example', outside.port)).rejects.toMatchObject(refused)
  expect(outside.connections() + inside.connections()).toBe(0)
})

test('a name without an address, or with a fault, is told as such', async () => {
  const fault = Object.assign(new Error('servfail'), { code: 'EAI_AGAIN' })
  const { resolve } = answering([], fault)
  const agent = await agentWith(resolve, '')
  await expect(ask(agent, 'empty.example', 80)).rejects.toMatchObject({ code: 'ENOTFOUND' })
  await expect(ask(agent, 'faulty.example', 80)).rejects.toMatchObject({ code: 'EAI_AGAIN' })
})

test.each([
  ['inside', at('127.0.0.2')],
  ['nowhere', []],
  ['where it may go', at('127.0.0.1')],
])(
  'a look-up that is answered after the call was given up, and leads %s, sends nothing',
  async (_, places) => {
    const outside = await listen('127.0.0.1')
    const inside = await listen('127.0.0.2', outside.port)
    const late: (() => void)[] = []
    const resolve: Resolve = (_hostname, _options, callback) => late.push(() => callback(null, places))
    const agent = await agentWith(resolve, `127.0.0.1:${outside.port}`)
    const request = http.get({ host: 'slow.example', port: outside.port, agent })
    const over = new Promise((done) => request.on('error', done))
    await expect.poll(() => late.length).toBe(1)
    request.destroy()
    await over
    late[0]?.()
    await new Promise((done) => setTimeout(done, 50))
    expect(inside.connections()).toBe(0)
    expect([...inside.requests, ...outside.requests]).toEqual([])
  },
)

test('an address that nobody looks up is checked as well', async () => {
  const inside = await listen('127.0.0.2')
  const agent = await agentWith(undefined, `127.0.0.1:${inside.port}`)
  await expect(ask(agent, '127.0.0.2', inside.port)).rejects.toMatchObject(refused)
  expect(inside.connections()).toBe(0)
})

test('an allowed port is that port alone', async () => {
  const allowed = await listen('127.0.0.1')
  const other = await listen('127.0.0.1')
  const agent = await agentWith(undefined, `127.0.0.1:${allowed.port}`)
  expect(await ask(agent, '127.0.0.1', allowed.port)).toBe('127.0.0.1')
  await expect(ask(agent, '127.0.0.1', other.port)).rejects.toMatchObject(refused)
  expect(other.connections()).toBe(0)
})

test('a name that was allowed may lead anywhere, other names to the same place may not', async () => {
  const inside = await listen('127.0.0.2')
  const { resolve } = answering(at('127.0.0.2'))
  const agent = await agentWith(resolve, 'ollama.lan, *.corp.example')
  for (const name of ['ollama.lan', 'OLLAMA.lan', 'ollama.lan.', 'gpu.corp.example', 'a.b.corp.example'])
    expect(await ask(agent, name, inside.port), name).toBe('127.0.0.2')
  for (const name of [
    'ollama.lan.evil.example',
    'evil-ollama.lan',
    'x.ollama.lan',
    'corp.example',
    'evilcorp.example',
    'gpu.corp.example.evil.example',
  ])
    await expect(ask(agent, name, inside.port), name).rejects.toMatchObject(toldOfName(name))
})

test('names of the machine itself are looked up and refused like any other', async () => {
  const inside = await listen('127.0.0.1')
  const agent = await agentWith(undefined, '10.0.0.0/8')
  for (const name of ['localhost', 'LOCALHOST'])
    await expect(ask(agent, name, inside.port), name).rejects.toMatchObject(refused)
  expect(inside.connections()).toBe(0)
})
