import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testKey } from '../../lib/providers'
import { callTo, canary, compatibleKey, type Heard, hear, openaiKey, patient } from '../support/model-call'
import { echo, expectFault, type Told } from '../support/model-fault'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { type RawServer, startHttp, startTcp } from '../support/raw-server'

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

const sse = { 'content-type': 'text/event-stream' }
const piece = 'data: {"choices":[{"index":0,"delta":{"content":"Begun."}}]}\n\n'

async function askRaw(answer: Parameters<typeof startHttp>[0], changes = {}) {
  raw = await startHttp(answer)
  return hear(callTo(compatibleKey(raw.baseUrl), changes))
}

test('a server that is not there is named with its address', async () => {
  const gone = await startHttp(() => undefined)
  await gone.close()
  expectFault(await hear(callTo(compatibleKey(gone.baseUrl))), [
    'provider_failed',
    'retry',
    new RegExp(`could not be reached at 127\\.0\\.0\\.1:${gone.port}: the connection was refused`),
  ])
  expectFault(await hear(callTo(openaiKey(gone.baseUrl))), [
    'provider_failed',
    'retry',
    /^OpenAI could not be reached at/,
  ])
})

test('a host that does not exist is named', async () => {
  const heard = await hear(callTo(compatibleKey('https://nowhere.invalid/v1')))
  expectFault(heard, [
    'provider_failed',
    'retry',
    /^nowhere\.invalid could not be reached at nowhere\.invalid:443/,
  ])
})

test('a connection that is never made ends in time', async () => {
  raw = await startTcp(() => undefined)
  const key = compatibleKey(`https://127.0.0.1:${raw.port}/v1`)
  const heard = await hear(callTo(key, { timeouts: { ...patient, connectMs: 200 } }))
  expectFault(heard, [
    'provider_timeout',
    'retry',
    /could not be reached at 127\.0\.0\.1:\d+ within 200 milliseconds/,
  ])
})

test('a server that speaks no TLS is explained', async () => {
  raw = await startTcp((socket) => socket.end('220 ready\r\n'))
  const heard = await hear(callTo(compatibleKey(`https://127.0.0.1:${raw.port}/v1`)))
  expectFault(heard, ['provider_failed', 'vault', /The connection to .* is not safe/])
})

test('a server that speaks no HTTP is explained', async () => {
  raw = await startTcp((socket) => socket.end('220 ready\r\n'))
  expectFault(await hear(callTo(compatibleKey(raw.baseUrl))), [
    'provider_failed',
    'vault',
    /does not answer in HTTP/,
  ])
})

test('a redirect is not followed, so the key stays with its host', async () => {
  const other = await startHttp((_, response) => response.end())
  const heard = await askRaw((_, response) => {
    response.writeHead(307, { location: `${other.baseUrl}/chat/completions?key=${canary}` }).end()
  })
  await other.close()
  expectFault(heard, ['provider_failed', 'vault', /wants to send the request to another address/])
  expect(other.requests).toHaveLength(0)
})

test('a compressed answer is read although none was asked for', async () => {
  const { gzipSync } = await import('node:zlib')
  const heard = await askRaw((_, response) => {
    response.writeHead(200, { ...sse, 'content-encoding': 'gzip' }).end(gzipSync(`${piece}data: [DONE]\n\n`))
  })
  expect(heard.text).toBe('Begun.')
  expect(heard.error).toBeNull()
})

test('compressed garbage is explained', async () => {
  const heard = await askRaw((_, response) => {
    response.writeHead(200, { ...sse, 'content-encoding': 'gzip' }).end(`not gzip ${canary}`)
  })
  expectFault(heard, ['provider_failed', 'retry', /sent something that cannot be read as an answer/])
})

test('JSON with status 200 is explained, also when it is an error', async () => {
  const answers = [
    '{"id":1}',
    `{"error":{"message":"${echo.replaceAll('"', "'")}","code":"insufficient_quota"}}`,
    `{"${canary}`,
  ]
  const told: Told[] = [
    ['provider_failed', 'vault', /did not answer as a model that streams/],
    ['provider_failed', 'vault', /no credit left/],
    ['provider_failed', 'vault', /did not answer as a model that streams/],
  ]
  for (const [index, answer] of answers.entries()) {
    const heard = await askRaw((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer),
    )
    expectFault(heard, told[index] as Told)
    await raw?.close()
  }
})

test('errors are understood in the words of other servers', async () => {
  const bodies: [status: number, body: string, told: Told][] = [
    [
      404,
      '{"error":{"message":"model \\"gpt-5-nano\\" not found, try pulling it first","type":"api_error"}}',
      ['provider_failed', 'settings', /has no model named/],
    ],
    [
      404,
      '{"object":"error","message":"The model `gpt-5-nano` does not exist.","type":"NotFoundError","code":404}',
      ['provider_failed', 'settings', /has no model named/],
    ],
    [400, '{"error":"bad temperature"}', ['invalid_input', 'settings', /“bad temperature”/]],
    [
      422,
      '{"detail":[{"loc":["body"],"msg":"field required"}]}',
      ['invalid_input', 'settings', /did not accept the request\. Check/],
    ],
    [400, '{"detail":"no such thing"}', ['invalid_input', 'settings', /“no such thing”/]],
    [
      502,
      `<html>${canary}</html>`,
      ['provider_failed', 'retry', /had an error of its own \(status 502\)\. Try again/],
    ],
    [500, '', ['provider_failed', 'retry', /status 500/]],
    [500, '[]', ['provider_failed', 'retry', /status 500/]],
    [500, 'null', ['provider_failed', 'retry', /status 500/]],
    [500, `{"error":{"message":"${'x'.repeat(200_000)}"}}`, ['provider_failed', 'retry', /status 500/]],
    [200, '', ['provider_failed', 'retry', /ended the answer before it was complete/]],
  ]
  for (const [status, body, told] of bodies) {
    expectFault(await askRaw((_, response) => response.writeHead(status).end(body)), told)
    await raw?.close()
  }
})

test('a key of any form is masked wherever it is echoed', async () => {
  const apiKey = 'pa/ss+word=0123456789'
  const words = `${apiKey} and ${encodeURIComponent(apiKey)} and ${apiKey}!`
  raw = await startHttp((_, response) =>
    response.writeHead(400).end(JSON.stringify({ error: { message: words } })),
  )
  const { error } = await hear(callTo({ ...compatibleKey(raw.baseUrl), apiKey }))
  expect(error?.message).toContain('“••• and ••• and •••!”')
})

test('a key so short that masking it would spoil the words keeps them away altogether', async () => {
  raw = await startHttp((_, response) => response.writeHead(400).end('{"error":{"message":"an abc"}}'))
  const { error } = await hear(callTo({ ...compatibleKey(raw.baseUrl), apiKey: 'abc' }))
  expect(error?.message).toMatch(/did not accept the request\. Check/)
})

test('a server without a key that asks for one is explained', async () => {
  raw = await startHttp((_, response) => response.writeHead(401).end())
  const heard = await hear(callTo(compatibleKey(raw.baseUrl, null)))
  expectFault(heard, ['provider_auth', 'vault', /asks for a key\. Add one in the vault\.$/])
  expect(raw.requests[0]?.headers.authorization).toBeUndefined()
})

test('a key that no header can carry is explained', async () => {
  const key = { ...openaiKey(upstream.baseUrl), apiKey: `${canary}\nевіл` }
  expectFault(await hear(callTo(key)), ['provider_auth', 'vault', /has characters that cannot be sent/])
})

test('an error that the stream itself names is explained, with a status of its own', async () => {
  const heard = await askRaw((_, response) => {
    response
      .writeHead(200, sse)
      .end(`${piece}data: {"error":{"code":429,"message":"slow down, ${canary}"}}\n\n`)
  })
  expect(heard.text).toBe('Begun.')
  expectFault(heard, ['provider_failed', 'retry', /too many requests/])
})

describe('testing a key', () => {
  const signal = new AbortController().signal
  const failure = (key: ReturnType<typeof openaiKey>) =>
    testKey(key, signal).then(
      () => null,
      (error) => error,
    )

  test('counts the models that it opens', async () => {
    const { models } = await testKey(openaiKey(upstream.baseUrl), signal)
    expect(models).toBeGreaterThan(0)
    expect(upstream.journal[0]).toMatchObject({ method: 'GET', path: '/v1/models' })
  })

  test('fails as a call does', async () => {
    upstream.script({ match: { path: '/v1/models' }, error: 401 })
    const error = await failure(openaiKey(upstream.baseUrl))
    expectFault({ error } as Heard, ['provider_auth', 'vault', /refused the key ending 9e77/])
    raw = await startHttp((_, response) => response.writeHead(404).end('{"error":"no model here"}'))
    expectFault({ error: await failure(compatibleKey(raw.baseUrl)) } as Heard, [
      'provider_failed',
      'vault',
      /nothing that answers/,
    ])
  })

  test('does not take a web page for a list', async () => {
    raw = await startHttp((_, response) => response.end(`<html>${canary}</html>`))
    expectFault({ error: await failure(compatibleKey(raw.baseUrl)) } as Heard, [
      'provider_failed',
      'vault',
      /did not answer with a list of models/,
    ])
  })

  test('follows no redirect and can be given up', async () => {
    raw = await startHttp((_, response) => response.writeHead(302, { location: upstream.baseUrl }).end())
    expectFault({ error: await failure(compatibleKey(raw.baseUrl)) } as Heard, [
      'provider_failed',
      'vault',
      /another address/,
    ])
    expect(upstream.journal).toHaveLength(0)
    const given = AbortSignal.abort(new Error('Never mind.'))
    await expect(testKey(openaiKey(upstream.baseUrl), given)).rejects.toThrow('Never mind.')
  })
})
