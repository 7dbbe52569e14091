import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Scope } from '../../lib/contracts/keys'
import { statusOf } from '../../lib/errors'
import { Client } from '../support/client'
import {
  type HostileBody,
  hostileBodies,
  hostileIds,
  hostileQueries,
  hugeBody,
  mutations,
} from '../support/fuzz-input'
import { type FuzzWorld, makeFuzzWorld } from '../support/fuzz-world'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { listRoutes } from '../support/route-files'
import { startServer, type TestServer } from '../support/server'

/*
 * Every method of every route, with what nobody should send: the answer is the caller's fault, or lawful; never a fault
 * of the server, unless an upstream's that is named. By an admin, so that nothing is refused for who calls, with things
 * that are there, so that the calls reach them; by a session and by a key with all scopes.
 */

type Call = { method: string; route: string; path: string; body?: HostileBody; token: string }
type Seen = { status: number; type: string; text: string; body: unknown }

// A minute for all of it, on a machine that does nothing else.
vi.setConfig({ testTimeout: 300_000 })

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const atOnce = 24
const patienceMs = 30_000

let openai: OpenAIServer
let server: TestServer
let world: FuzzWorld
let served: { method: string; route: string }[]
let session = ''
let key = ''
let made = 0

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({ OPENAI_API_KEY: 'sk-test-of-the-fuzz', OPENAI_BASE_URL: openai.baseUrl })
  world = await makeFuzzWorld(server.url)
  session = world.admin.token ?? ''
  key = (await makeKey(world.admin, { scopes: [...Scope.options] })).key
  const asked = listRoutes().map(async (route) => {
    const { headers } = await new Client(server.url).call('OPTIONS', world.pathOf(route))
    const allowed = (headers.get('allow') ?? '').split(/,\s*/)
    return methods.filter((method) => allowed.includes(method)).map((method) => ({ method, route }))
  })
  served = (await Promise.all(asked)).flat()
})
afterAll(async () => {
  console.info(`${made} hostile calls over ${served.length} methods of ${listRoutes().length} routes`)
  await openai.close()
  await server.close()
})

/** A session that goes on is needed to the end, and so is what the calls are about. */
const isFatal = ({ method, route }: { method: string; route: string }) =>
  route === '/api/auth/logout' || method === 'DELETE'

const takesBody = ({ method }: { method: string }) => method !== 'GET' && method !== 'DELETE'
const bothTokens = () => [session, key]

async function call({ method, path, body, token }: Call): Promise<Seen> {
  made += 1
  const headers: Record<string, string> = { authorization: `Bearer ${token}` }
  if (body?.type) headers['content-type'] = body.type
  // Bytes have no type of their own; a text would be given one.
  const bytes = body && Buffer.from(body.bytes)
  const signal = AbortSignal.timeout(patienceMs)
  const response = await fetch(server.url + path, { method, headers, signal, ...(bytes && { body: bytes }) })
  const type = response.headers.get('content-type') ?? ''
  const isJson = type.startsWith('application/json')
  if (type.startsWith('text/event-stream')) {
    await response.body?.cancel()
    return { status: response.status, type, text: '', body: null }
  }
  const text = await response.text()
  return {
    status: response.status,
    type,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : null,
  }
}

/** What is wrong with an answer, or null. */
function findFault({ route, path, body }: Call, { status, type, text, body: said }: Seen): string | null {
  if (status >= 200 && status < 400) return null
  // Links are opened by people, and told them as a page.
  if (route === '/launch' && status === 401 && type.startsWith('text/html')) return null
  const error = (said as { error?: Record<string, unknown> } | null)?.error
  if (!error || typeof error.message !== 'string' || error.message === '')
    return `no error in ${text.slice(0, 200)}`
  if (status >= 500 && !isUpstreams(status, error)) return text.slice(0, 300)
  const isOpenAis = /^\/api\/(v1|completion|embeddings|images|models)\b/.test(route)
  if (isOpenAis)
    return 'type' in error && 'param' in error && 'code' in error ? null : `not OpenAI’s: ${text}`
  if (statusOf[error.code as keyof typeof statusOf] !== status) return `${error.code} with ${status}`
  if (typeof error.request_id !== 'string') return 'no request id'
  const isForm =
    body?.type === 'application/json' && /^(null|\[\]|"text"|7|true|\[\{\}\])$/.test(String(body.bytes))
  if (status === 400 && isForm && !path.includes('?') && !Array.isArray(error.issues))
    return `no issues: ${text}`
  return null
}

function isUpstreams(status: number, { code, type }: Record<string, unknown>): boolean {
  return (
    [502, 503, 504].includes(status) &&
    (/^provider_|^unavailable$/.test(String(code)) || type === 'server_error')
  )
}

/** Makes these calls, some at once, and says which of them were answered wrongly. */
async function findFaults(calls: Call[]): Promise<string[]> {
  const waiting = [...calls]
  const faults: string[] = []
  const work = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const seen = await call(next).catch((error: unknown) => ({ failed: String(error) }))
      const fault = 'failed' in seen ? seen.failed : findFault(next, seen)
      const status = 'status' in seen ? seen.status : 0
      if (fault)
        faults.push(
          `${next.method} ${next.path.slice(0, 120)} ${next.body?.label ?? ''} → ${status}: ${fault}`,
        )
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return faults
}

async function expectSound(calls: Call[]): Promise<void> {
  expect(calls.length).toBeGreaterThan(0)
  expect([...new Set(await findFaults(calls))].sort()).toEqual([])
  expect((await new Client(server.url).get('/api/health')).status).toBe(200)
}

test('bodies that are nobody’s idea of a request', async () => {
  const calls = served
    .filter((one) => takesBody(one) && !isFatal(one))
    .flatMap(({ method, route }) =>
      [...bothTokens()].flatMap((token) =>
        hostileBodies.map((body) => ({ method, route, path: world.pathOf(route), body, token })),
      ),
    )
  await expectSound(calls)
})

test('bodies that are larger than any route takes', async () => {
  const calls = served
    .filter((one) => takesBody(one) && !isFatal(one))
    .map(({ method, route }) => ({
      method,
      route,
      path: world.pathOf(route),
      body: hugeBody,
      token: session,
    }))
  await expectSound(calls)
})

test('each value of a right body replaced by a hostile one', async () => {
  for (const name of Object.keys(world.bodies))
    expect(served.map(({ method, route }) => `${method} ${route}`)).toContain(name)
  const calls = Object.entries(world.bodies).flatMap(([name, right]) => {
    const [method = '', route = ''] = name.split(' ')
    return mutations(right).map((body) => ({
      method,
      route,
      path: world.pathOf(route),
      body,
      token: session,
    }))
  })
  await expectSound(calls)
})

test('queries that repeat, are huge, or cannot be decoded', async () => {
  const calls = served
    .filter((one) => !isFatal(one) && !takesBody(one))
    .flatMap(({ method, route }) =>
      hostileQueries.flatMap((query, n) =>
        (n < 16 ? bothTokens() : [session]).map((token) => ({
          method,
          route,
          path: `${world.pathOf(route)}?${query}`,
          token,
        })),
      ),
    )
  await expectSound(calls)
})

test('ids that are none', async () => {
  const calls = served
    .filter(({ route }) => route.includes('['))
    .flatMap(({ method, route }) =>
      hostileIds.map((id) => {
        const path = route.replaceAll(/\[+[.\w]+\]+/g, id)
        const body = takesBody({ method })
          ? {
              label: id.slice(0, 20),
              bytes: JSON.stringify(world.bodies[`${method} ${route}`] ?? {}),
              type: 'application/json',
            }
          : undefined
        return { method, route, path, token: session, ...(body && { body }) }
      }),
    )
  await expectSound(calls)
})

test('methods that a route does not take', async () => {
  const calls = listRoutes().flatMap((route) =>
    methods
      .filter((method) => !served.some((one) => one.route === route && one.method === method))
      .map((method) => ({ method, route, path: world.pathOf(route), token: session })),
  )
  await expectSound(calls)
})

test('deleting, with bodies and queries that mean nothing', async () => {
  const calls = served
    .filter((one) => one.method === 'DELETE')
    .flatMap(({ method, route }) =>
      [...hostileBodies, undefined].map((body, n) => ({
        method,
        route,
        path: `${world.pathOf(route)}?${hostileQueries[n % hostileQueries.length]}`,
        token: key,
        ...(body && { body }),
      })),
    )
  await expectSound(calls)
})

test('after all of it the server is the same, and found nothing that it did not expect', async () => {
  expect(() => process.kill(server.pid, 0)).not.toThrow()
  expect((await world.admin.get('/api/auth/me')).status).toBe(200)
  expect(server.output()).not.toMatch(/"level":"?(50|60|error|fatal)|Unhandled|RangeError/)
})
