import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { curl, startCurl } from '../../support/curl'
import { type GatewayWorld, startGateway } from '../../support/gateway'
import { echoOf } from '../../support/openai'
import { makeOwnFolder } from '../../support/own-folder'

// curl, as OpenAI's own examples call it, and as people do who try things out.

let world: GatewayWorld
let key: string
const folder = makeOwnFolder('curl')

beforeAll(async () => {
  world = await startGateway()
  key = (await world.sdk()).key
})
beforeEach(() => world.upstream.reset())
afterAll(async () => {
  await world.close()
  folder.remove()
})

const question = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'Grüße, 世界!' }] }
const asked = JSON.stringify(question)
const streamed = JSON.stringify({ ...question, stream: true })
const json = ['-H', 'content-type: application/json']
const auth = () => ['-H', `Authorization: Bearer ${key}`]
const at = (path: string) => `${world.server.url}/v1${path}`
const chat = () => at('/chat/completions')

function fileWith(text: string): string {
  const path = join(folder.path, `body-${text.length}.json`)
  writeFileSync(path, text)
  return path
}

describe('an answer', () => {
  test('whole, with its head, as in OpenAI’s examples', async () => {
    const { status, headers, body } = await curl([...auth(), ...json, '-d', asked, chat()])
    expect(status).toBe(200)
    expect(JSON.parse(body).choices[0].message.content).toBe(echoOf('Grüße, 世界!'))
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/)
    expect(headers.get('openai-processing-ms')).toBe('12')
    expect(headers.get('openai-organization')).toBeNull()
  })

  test('streamed with -N, while the model server is still at it', async () => {
    world.upstream.script({ text: Array.from({ length: 40 }, (_, n) => `word ${n} `), delayMs: 25 })
    const { child, ended } = startCurl(['-N', ...auth(), ...json, '-d', streamed, chat()])
    child.stdin?.end()
    await new Promise((come) => child.stdout?.once('data', come))
    expect(world.upstream.journal[0]?.status).toBeUndefined()
    const { code, out } = await ended
    expect(code).toBe(0)
    expect(out.toString()).toMatch(/^(data: \{[^\n]*\}\n\n)+data: \[DONE\]\n\n$/)
    expect(out.toString()).toContain('word 39')
  })

  test('streamed to one who hangs up: the model server hears of it', async () => {
    world.upstream.script({ text: Array.from({ length: 500 }, (_, n) => `word ${n} `), delayMs: 20 })
    const { child, ended } = startCurl(['-N', ...auth(), ...json, '-d', streamed, chat()])
    await new Promise((come) => child.stdout?.once('data', come))
    child.kill()
    await ended
    await expect
      .poll(() => world.upstream.journal[0]?.closedByClientAt, { timeout: 10_000 })
      .toBeGreaterThan(0)
  })

  test('to the key in x-api-key, and with compression asked for', async () => {
    const headers = ['-H', `x-api-key: ${key}`, ...json, '--compressed']
    const { status, body } = await curl([...headers, '-d', asked, chat()])
    expect(status).toBe(200)
    expect(JSON.parse(body).object).toBe('chat.completion')
  })

  test('by HTTP/1.0, whole and streamed, to the end', async () => {
    const whole = await curl(['--http1.0', ...auth(), ...json, '-d', asked, chat()])
    expect(JSON.parse(whole.body).object).toBe('chat.completion')
    const stream = await curl(['--http1.0', ...auth(), ...json, '-d', streamed, chat()])
    expect(stream.headers.get('transfer-encoding')).toBeNull()
    expect(stream.body).toMatch(/^data: \{[\s\S]*data: \[DONE\]\n\n$/)
  })

  test('after an answer, on the same connection', async () => {
    const one = [
      ...auth(),
      ...json,
      '-d',
      asked,
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}/%{num_connects} ',
      chat(),
    ]
    const { child, ended } = startCurl([...one, '--next', ...one])
    child.stdin?.end()
    expect((await ended).out.toString()).toBe('200/1 200/0 ')
  })
})

describe('a question', () => {
  test('from a file, as it is or without its line ends', async () => {
    const pretty = JSON.stringify(question, null, 2)
    for (const option of ['--data-binary', '--data']) {
      const { status } = await curl([...auth(), ...json, option, `@${fileWith(pretty)}`, chat()])
      expect(status).toBe(200)
      expect(world.upstream.journal.at(-1)?.body).toEqual(question)
    }
    const lengths = world.upstream.journal.map(({ headers }) => Number(headers['content-length']))
    expect(lengths[0]).toBe(Buffer.byteLength(pretty))
    expect(lengths[1]).toBeLessThan(Number(lengths[0]))
  })

  test('that waits to be told to go on', async () => {
    const expecting = ['-v', '-H', 'Expect: 100-continue', '--expect100-timeout', '30']
    const { child, ended } = startCurl([...expecting, ...auth(), ...json, '-d', asked, chat()])
    child.stdin?.end()
    const { out, errors } = await ended
    expect(errors).toContain('HTTP/1.1 100 Continue')
    expect(JSON.parse(out.toString()).object).toBe('chat.completion')
  })

  test('that comes slowly, in pieces of no length that was said before', async () => {
    const { child, ended } = startCurl([...auth(), ...json, '-X', 'POST', '-T', '.', chat()])
    const bytes = Buffer.from(asked)
    for (let at = 0; at < bytes.length; at += 9) {
      child.stdin?.write(bytes.subarray(at, at + 9))
      await new Promise((wake) => setTimeout(wake, 30))
    }
    child.stdin?.end()
    expect(JSON.parse((await ended).out.toString()).choices[0].message.content).toBe(echoOf('Grüße, 世界!'))
    expect(world.upstream.journal[0]?.body).toEqual(question)
  })

  test('that ends too early, is too long, or is no JSON, is refused in OpenAI’s words', async () => {
    const refused = async (args: string[]) => {
      const { status, body } = await curl([...auth(), ...args, chat()])
      return { status, type: JSON.parse(body).error.type }
    }
    const type = 'invalid_request_error'
    expect(await refused([...json, '-d', asked.slice(0, 40)])).toEqual({ status: 400, type })
    expect(await refused(['-d', asked])).toEqual({ status: 415, type })
    const long = fileWith(JSON.stringify({ ...question, user: 'x'.repeat(1_100_000) }))
    expect(await refused([...json, '--data-binary', `@${long}`])).toEqual({ status: 413, type })
    expect(world.upstream.journal).toEqual([])
  })
})

describe('other methods', () => {
  test('HEAD is GET without a body', async () => {
    const { status, headers, body } = await curl(['-I', ...auth(), at('/models')])
    expect(status).toBe(200)
    expect(headers.get('content-type')).toContain('application/json')
    expect(body).toBe('')
  })

  test.each([
    ['GET', '/chat/completions', 'POST, OPTIONS'],
    ['PUT', '/responses', 'POST, OPTIONS'],
    ['DELETE', '/embeddings', 'POST, OPTIONS'],
    ['PATCH', '/models', 'GET, HEAD, OPTIONS'],
  ])('%s %s is refused, with those that it takes', async (method, path, allow) => {
    const { status, headers, body } = await curl(['-X', method, ...auth(), at(path)])
    expect(status).toBe(405)
    expect(headers.get('allow')).toBe(allow)
    expect(JSON.parse(body)).toMatchObject({
      error: { type: 'invalid_request_error', code: 'method_not_supported' },
    })
  })

  test('OPTIONS tells them', async () => {
    const { status, headers } = await curl(['-X', 'OPTIONS', chat()])
    expect(status).toBeLessThan(300)
    expect(headers.get('allow')).toBe('POST, OPTIONS')
  })

  test('without a key there is nothing, and the address of nothing is told', async () => {
    const { status, body } = await curl([...json, '-d', asked, chat()])
    expect(status).toBe(401)
    expect(JSON.parse(body).error.type).toBe('invalid_request_error')
    expect((await curl([...auth(), at('/not/here')])).status).toBe(404)
  })
})

describe('a call with an Idempotency-Key', () => {
  const once = (name: string) => ['-H', `Idempotency-Key: ${name}`]

  test.each([
    ['whole', asked],
    ['streamed', streamed],
  ])('is made once, and its answer told again, byte for byte: %s', async (name, body) => {
    const call = [...auth(), ...json, ...once(name), '-d', body, chat()]
    const first = await curl(call)
    const again = await curl(call)
    expect(first.status).toBe(200)
    expect(again.status).toBe(200)
    expect(again.body).toBe(first.body)
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(world.upstream.journal).toHaveLength(1)
  })

  test('with another body is refused', async () => {
    const call = (body: string) => curl([...auth(), ...json, ...once('other-body'), '-d', body, chat()])
    expect((await call(asked)).status).toBe(200)
    const { status, body } = await call(asked.replace('gpt-4.1', 'gpt-4o'))
    expect(status).toBe(422)
    expect(JSON.parse(body).error.code).toBe('idempotency_key_reused')
    expect(world.upstream.journal).toHaveLength(1)
  })
})
