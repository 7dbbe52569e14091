import { beforeEach, expect, test } from 'vitest'
import { anyone, methods, noContent, route } from '../../lib/http'
import { openLog } from '../../lib/log'

type Store = { __alChat: Map<string, unknown> }

const said: string[] = []

beforeEach(() => {
  said.length = 0
  const store = globalThis as typeof globalThis & Partial<Store>
  store.__alChat ??= new Map()
  store.__alChat.set('log', openLog('debug', { write: (text: string) => void said.push(text) }))
})

const { GET } = methods({ GET: route({ auth: anyone, run: async () => noContent() }) })

async function routeOf(path: string, params?: Record<string, string | string[]>): Promise<string> {
  const context = { params: Promise.resolve(params) } as unknown as Parameters<typeof GET>[1]
  expect((await GET(new Request(`http://localhost${path}`), context)).status).toBe(204)
  return JSON.parse(said.at(-1) ?? '').route
}

test('the log names a route by its parameters, never by what a caller put in their place', async () => {
  expect(await routeOf('/api/projects')).toBe('/api/projects')
  expect(await routeOf('/api/agents/018f/versions/3', { agentId: '018f', version: '3' })).toBe(
    '/api/agents/[agentId]/versions/[version]',
  )
  expect(await routeOf('/api/a/sk-test-1/b', { path: ['a', 'sk-test-1', 'b'] })).toBe('/api/[path]')
  expect(await routeOf('/api/agents/sk%2Dtest%2D1', { agentId: 'sk-test-1' })).toBe('/api/agents/[agentId]')
  expect(await routeOf('/api/agents/%ff', { agentId: '%ff' })).toBe('/api/agents/[agentId]')
  expect(await routeOf('/api/projects?token=sk-test-1')).toBe('/api/projects')
})
