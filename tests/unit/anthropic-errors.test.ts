import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { toChatRefusal } from '../../lib/gateway/anthropic/errors'
import { toChatHeaders } from '../../lib/gateway/anthropic/headers'
import { type AnthropicServer, startAnthropic } from '../support/anthropic'
import { anthropicKey, callMessages } from '../support/anthropic-call'
import { canary } from '../support/model-call'

let server: AnthropicServer

beforeAll(async () => {
  server = await startAnthropic()
})
afterEach(() => server.reset())
afterAll(() => server.close())

const question = {
  model: 'claude-opus-5-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello?' }],
}
const key = () => anthropicKey(server.baseUrl)

test.each([
  ['invalid_request', 400, 'invalid_request_error', null, null],
  ['too_long', 400, 'invalid_request_error', 'context_length_exceeded', 'messages'],
  ['no_credit', 429, 'insufficient_quota', 'insufficient_quota', null],
  ['authentication', 401, 'invalid_request_error', 'invalid_api_key', null],
  ['billing', 429, 'insufficient_quota', 'insufficient_quota', null],
  ['permission', 403, 'invalid_request_error', 'insufficient_permissions', null],
  ['not_found', 404, 'invalid_request_error', 'model_not_found', 'model'],
  ['too_large', 413, 'invalid_request_error', 'request_too_large', null],
  ['rate_limit', 429, 'tokens', 'rate_limit_exceeded', null],
  ['api', 500, 'server_error', null, null],
  ['timeout', 504, 'server_error', 'timeout', null],
  ['overloaded', 503, 'server_error', 'server_is_overloaded', null],
])('%s is told as OpenAI would: %i, %s, %s', async (error, status, type, code, param) => {
  server.script({ error })
  const answer = await callMessages(server.baseUrl, question)
  const told = toChatRefusal(key(), answer.status, answer.json)
  expect(told).toEqual({ status, error: { message: expect.any(String), type, param, code } })
})

describe('what Anthropic says', () => {
  test('is passed on without the key, and without the names of organizations', async () => {
    const message = `The key ${canary} of wrkspc_01AbC (1b4d2c3a-0f6e-4a7b-9c8d-5e6f7a8b9c0d) is wrong.`
    server.script({ error: { status: 401, type: 'authentication_error', message } })
    const { status, json } = await callMessages(server.baseUrl, question)
    const { error } = toChatRefusal(key(), status, json)
    expect(error.message).toBe('The key ••• of ••• (•••) is wrong.')
  })

  test.each<[string, number | null, unknown, number]>([
    ['nothing', 502, '', 502],
    ['a page', 503, '<html>', 503],
    ['an unknown kind', 418, { type: 'error', error: { type: 'teapot_error', message: 'Short.' } }, 418],
    ['no kind', 429, { error: { message: 7 } }, 429],
    ['nothing in a stream', null, null, 500],
  ])('is told by its status where it is %s', (_name, status, body, expected) => {
    const told = toChatRefusal(key(), status, body)
    expect(told.status).toBe(expected)
    expect(told.error.message).not.toMatch(/undefined|null|object|html/)
    expect(told.error.type).toBe(
      expected >= 500 ? 'server_error' : expected === 429 ? 'requests' : 'invalid_request_error',
    )
  })
})

test('limits are told by OpenAI’s names, and nothing else of the head', async () => {
  server.script({ error: 'rate_limit' })
  const { headers } = await callMessages(server.baseUrl, question)
  const given = Object.fromEntries(headers)
  const now = Date.parse(String(given['anthropic-ratelimit-tokens-reset'])) - 90_000
  expect(Object.fromEntries(toChatHeaders(given, now))).toEqual({
    'content-type': 'application/json',
    'retry-after': '7',
    'x-should-retry': 'true',
    'x-ratelimit-limit-requests': '50',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '1m30s',
    'x-ratelimit-limit-tokens': '50000',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '1m30s',
  })
  const soon = { 'anthropic-ratelimit-tokens-reset': new Date(1000).toISOString() }
  expect(toChatHeaders(soon, 750).get('x-ratelimit-reset-tokens')).toBe('250ms')
  expect(toChatHeaders(soon, 9000).get('x-ratelimit-reset-tokens')).toBe('0ms')
  expect(toChatHeaders({ 'anthropic-ratelimit-tokens-reset': 'soon' }).has('x-ratelimit-reset-tokens')).toBe(
    false,
  )
})
