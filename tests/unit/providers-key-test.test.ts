import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CredentialFailure } from '../../lib/contracts/credentials'
import { AppError, asAppError } from '../../lib/errors'
import { type ModelKey, testKey } from '../../lib/providers'
import { canary, compatibleKey, openaiKey } from '../support/model-call'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { type RawServer, startHttp, startTcp } from '../support/raw-server'
import { startUntrusted } from '../support/untrusted-server'

let upstream: OpenAIServer
let raw: RawServer | undefined

beforeAll(async () => {
  upstream = await startOpenAI()
})
afterAll(() => upstream.close())
beforeEach(() => upstream.reset())
afterEach(async () => {
  await raw?.close()
  raw = undefined
})

const tried = (key: ModelKey) => testKey(key, new AbortController().signal)

/** What a test of this key says, and what is noted against the key for it. */
async function verdict(key: ModelKey): Promise<{ message: string; failure: CredentialFailure | undefined }> {
  const error = await tried(key).then(
    () => new AppError('internal', 'It works.'),
    (reason: unknown) => asAppError(reason),
  )
  expect(`${error.message} ${error.cause}`).not.toContain(canary)
  return { message: error.message, failure: error.facts?.failure as CredentialFailure | undefined }
}

const answering = async (status: number, body: string, type = 'application/json') => {
  raw = await startHttp((_, response) => response.writeHead(status, { 'content-type': type }).end(body))
  return raw.baseUrl
}

test('a key with credit works, at the cost of one token', async () => {
  expect((await tried(openaiKey(upstream.baseUrl))).models).toBeGreaterThan(0)
  expect(upstream.journal.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
    { method: 'GET', path: '/v1/models', body: undefined },
    { method: 'POST', path: '/v1/embeddings', body: { model: 'text-embedding-3-small', input: '.' } },
  ])
})

test('a key without credit lists models like any other, and is told by the call that costs', async () => {
  upstream.script({ match: { path: '/v1/embeddings' }, error: 'insufficient_quota' })
  expect(await verdict(openaiKey(upstream.baseUrl))).toEqual({
    message:
      'The account of the key ending 9e77 has no credit left at OpenAI. Add credit there, or replace the key in the vault.',
    failure: 'quota',
  })
})

test.each([
  ['may not make embeddings', 'missing_scope'],
  ['has no such model', 'model_not_found'],
  ['is asked too often just now', 'rate_limit_exceeded'],
  ['is at a server with an error of its own', 'server_error'],
  ['is refused for this call alone', 'invalid_api_key'],
] as const)('a key that %s works all the same', async (_, error) => {
  upstream.script({ match: { path: '/v1/embeddings' }, error })
  expect((await tried(openaiKey(upstream.baseUrl))).models).toBeGreaterThan(0)
  expect(upstream.journal).toHaveLength(2)
})

test('a server that hangs up on the call that costs has shown that the key works', async () => {
  raw = await startHttp((request, response) => {
    if (request.url === '/v1/models') response.end('{"data":[{"id":"a"}]}')
    else request.socket.destroy()
  })
  expect(await tried(openaiKey(raw.baseUrl))).toEqual({ models: 1 })
})

test('other servers are asked for nothing but their models', async () => {
  await tried(compatibleKey(upstream.baseUrl))
  expect(upstream.journal.map(({ path }) => path)).toEqual(['/v1/models'])
})

test('a wrong or revoked key is told, and what to do', async () => {
  upstream.script({ match: { path: '/v1/models' }, error: 'invalid_api_key' })
  expect(await verdict(openaiKey(upstream.baseUrl))).toEqual({
    message: 'OpenAI refused the key ending 9e77. Replace it in the vault.',
    failure: 'refused',
  })
  expect(upstream.journal).toHaveLength(1)
})

test('a server that wants money says so', async () => {
  expect(await verdict(compatibleKey(await answering(402, '{"error":"pay"}')))).toMatchObject({
    message: expect.stringMatching(/has no credit left/),
    failure: 'quota',
  })
})

test('a host that does not exist, and one where nobody listens', async () => {
  expect(await verdict(compatibleKey('https://nowhere.invalid/v1'))).toMatchObject({
    message: expect.stringMatching(
      /^nowhere\.invalid could not be reached at nowhere\.invalid:443: .+ Check that it is/,
    ),
    failure: 'unreachable',
  })
  const gone = await startHttp(() => undefined)
  await gone.close()
  expect(await verdict(compatibleKey(gone.baseUrl))).toMatchObject({
    message: expect.stringMatching(
      /could not be reached .* the connection was refused\. Check that it is running/,
    ),
    failure: 'unreachable',
  })
})

test('a certificate that nobody vouches for, and a server without any: the key is not sent', async () => {
  const untrusted = await startUntrusted()
  const said = await verdict(compatibleKey(`https://127.0.0.1:${untrusted.port}/v1`))
  expect(said).toMatchObject({
    message: expect.stringMatching(/is not safe \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Check the address/),
    failure: 'unreachable',
  })
  expect(untrusted.heard()).toBe(0)
  await untrusted.close()
  let sent = ''
  raw = await startTcp((socket) => {
    socket.on('data', (bytes) => {
      sent += bytes.toString('latin1')
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
  })
  expect(await verdict(compatibleKey(`https://127.0.0.1:${raw.port}/v1`))).toMatchObject({
    message: expect.stringMatching(/is not safe|broke before/),
  })
  expect(sent).not.toContain(canary)
})

test.each([
  ['a web page', 200, '<html>Welcome</html>', 'text/html', /did not answer with a list of models/],
  [
    'JSON of something else',
    200,
    '{"hello":"world"}',
    'application/json',
    /did not answer with a list of models/,
  ],
  ['nothing', 200, '', 'application/json', /did not answer with a list of models/],
  [
    'a page that is not there',
    404,
    '<html>Not found</html>',
    'text/html',
    /has nothing that answers at \/v1/,
  ],
  ['a redirect', 308, '', 'text/html', /wants to send the request to another address/],
])('%s is no such API', async (_, status, body, type, words) => {
  expect(await verdict(compatibleKey(await answering(status, body, type)))).toMatchObject({
    message: expect.stringMatching(words),
    failure: 'wrong_api',
  })
})

test('a server that does not speak HTTP is no such API', async () => {
  raw = await startTcp((socket) => socket.end('220 mail.example.com ESMTP\r\n'))
  expect(await verdict(compatibleKey(raw.baseUrl))).toMatchObject({
    message: expect.stringMatching(/does not answer in HTTP/),
    failure: 'wrong_api',
  })
})

test('an address inside the network is not called', async () => {
  expect(await verdict(compatibleKey('http://10.0.0.5/v1'))).toEqual({
    message:
      "AL-Chat does not call addresses inside the server's own network (10.0.0.5). An admin can allow it with ALLOWED_PROVIDER_HOSTS.",
    failure: 'not_allowed',
  })
})

test.each([
  [429, 'rate_limit_exceeded'],
  [500, 'server_error'],
  [503, 'overloaded'],
  [403, 'missing_scope'],
] as const)('status %i is nothing against the key', async (_, error) => {
  upstream.script({ match: { path: '/v1/models' }, error })
  const { message, failure } = await verdict(openaiKey(upstream.baseUrl))
  expect(failure).toBeUndefined()
  expect(message).toMatch(/^OpenAI /)
})
