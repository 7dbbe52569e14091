import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, startGateway, upstreamKey } from '../support/gateway'
import { makeKey } from '../support/keys'

/* What goes wrong after an answer of status 200 has begun: what the reader is told of it, and what is kept. */

let world: GatewayWorld
let key: string
const chat = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hello' }] }
const response = { model: 'gpt-5-mini', input: 'Hello' }
const failure = {
  code: 'server_error',
  message: `Limit reached in organization org-AbC (proj_x). Key ${upstreamKey}.`,
}
const hidden = 'Limit reached in organization ••• (•••). Key •••.'

beforeAll(async () => {
  world = await startGateway()
  key = (await makeKey(world.admin, { scopes: ['gateway'] })).key
})
beforeEach(() => world.upstream.reset())
afterAll(() => world.close())

async function ask(path: string, body: object, headers = {}) {
  const answer = await world.post(path, body, key, headers)
  return { status: answer.status, text: await answer.text() }
}

describe('the key and its account stay unsaid', () => {
  test.each([
    ['a response that fails', '/responses', response, 'failed'],
    ['a response with an error event', '/responses', response, 'error_flat'],
    ['a response with an error inside an event', '/responses', response, 'error_nested'],
    ['a chat with an error', '/chat/completions', chat, 'error_nested'],
  ] as const)('in the stream of %s', async (_, path, body, end) => {
    for (const split of ['events', 'bytes'] as const) {
      world.upstream.script({ end, failure, split })
      const { status, text } = await ask(path, { ...body, stream: true })
      expect(status).toBe(200)
      expect(text).toContain(hidden)
      expect(text).not.toMatch(/org-AbC|proj_x|sk-test/)
    }
  })

  test('in a whole response, and where it is asked for again', async () => {
    world.upstream.script({ end: 'failed', failure })
    const { text } = await ask('/responses', response)
    const told = JSON.parse(text)
    expect(told).toMatchObject({ status: 'failed', error: { message: hidden } })
    const again = await fetch(`${world.server.url}/v1/responses/${told.id}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    expect(await again.json()).toMatchObject({ status: 'failed', error: { message: hidden } })
  })
})

describe('an Idempotency-Key', () => {
  test.each([
    ['a stream that fails', '/responses', { ...response, stream: true }, 'failed'],
    ['a stream with an error', '/responses', { ...response, stream: true }, 'error_flat'],
    ['a whole response that failed', '/responses', response, 'failed'],
    ['a chat with an error', '/chat/completions', { ...chat, stream: true }, 'error_nested'],
  ] as const)('does not keep %s', async (_, path, body, end) => {
    const headers = { 'idempotency-key': randomUUID() }
    world.upstream.script({ end, failure })
    expect((await ask(path, body, headers)).text).toContain('server_error')
    const again = await ask(path, body, headers)
    expect(again.status).toBe(200)
    expect(again.text).not.toContain('server_error')
    expect(world.upstream.journal).toHaveLength(2)
  })

  test('keeps an answer that was cut short, and one in the background', async () => {
    for (const body of [response, { ...response, stream: true }, { ...response, background: true }]) {
      world.upstream.reset()
      const headers = { 'idempotency-key': randomUUID() }
      world.upstream.script({ end: 'incomplete' })
      const first = await ask('/responses', body, headers)
      expect(await ask('/responses', body, headers)).toEqual(first)
      expect(world.upstream.journal.filter(({ method }) => method === 'POST')).toHaveLength(1)
    }
  })
})
