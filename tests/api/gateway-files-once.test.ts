import { createHash, randomUUID } from 'node:crypto'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Client, signUp } from '../support/client'
import { bytesOf, formPieces, post, startRawFiles } from '../support/gateway-upload'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

// An upload that is sent again with its Idempotency-Key makes no second file at the model server.
const megabyte = 1024 * 1024

let upstream: OpenAIServer
let server: TestServer

beforeAll(async () => {
  upstream = await startOpenAI({ acceptKey: (given) => given.startsWith('sk-test-once') })
  server = await startServer({
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'sk-test-once-upstream-3e',
    RATE_LIMITS: 'off',
  })
  await signUp(server.url, 'admin')
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

/** Someone who has just come, with a key and a client. */
async function newcomer() {
  const user = await signUp(server.url)
  const { key } = await makeKey(user, { scopes: ['gateway'] })
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 })
  return { user, key, openai }
}

type Told = { status: number; id?: string; code?: string; headers: Headers; text: string }

/** One upload by the official client, which makes up a boundary for each. */
async function send(openai: OpenAI, name: string, content: string | Buffer = 'one\n', filename = 'a.jsonl') {
  const body = { file: await toFile(Buffer.from(content), filename), purpose: 'batch' as const }
  const call = openai.files.create(body, { headers: { 'Idempotency-Key': name } })
  try {
    const { data, response } = await call.withResponse()
    return { status: response.status, id: data.id, headers: response.headers, text: JSON.stringify(data) }
  } catch (error) {
    if (!(error instanceof OpenAI.APIError) || error.status === undefined) throw error
    const { status, code, headers } = error
    return { status, code, headers, text: error.message }
  }
}

const isReplayed = ({ headers }: Pick<Told, 'headers'>) => headers.get('idempotent-replayed')
const asked = () => upstream.journal.map(({ method, path }) => `${method} ${path}`)
const until = (check: () => unknown) => expect.poll(check, { timeout: 10_000 })
const withName = (name: string) => ({ 'idempotency-key': name })

async function listed(openai: OpenAI): Promise<string[]> {
  return (await openai.files.list()).data.map(({ id }) => id)
}

/** A key of the user's for a server that does as the test says. */
async function keepRaw(user: Client, meet: (request: IncomingMessage, response: ServerResponse) => void) {
  const raw = await startRawFiles(meet)
  const kept = await user.post('/api/credentials', {
    credentialType: 'openai-compatible',
    baseUrl: raw.baseUrl,
    credentials: { api_key: 'sk-test-of-the-raw-server' },
  })
  expect(kept.status, kept.text).toBe(201)
  return { ...raw, credentialId: String(kept.body.id) }
}

/** Takes every upload for a file of its own, and keeps what it was sent. */
async function keepTaker(user: Client) {
  const seen: { type: string; bytes: Buffer }[] = []
  const raw = await keepRaw(user, async (request, response) => {
    const bytes = await bytesOf(request)
    seen.push({ type: String(request.headers['content-type']), bytes })
    response
      .writeHead(200, { 'content-type': 'application/json', 'openai-processing-ms': '7' })
      .end(`{ "id":"file-${seen.length}" ,"object":"file","purpose":"batch"}\n`)
  })
  return { ...raw, seen }
}

describe('the official client', () => {
  test('sends the same file again and gets the first one, which is there once', async () => {
    const { openai } = await newcomer()
    const name = randomUUID()
    const [first, again, third] = [
      await send(openai, name),
      await send(openai, name),
      await send(openai, name),
    ]
    expect(first.status).toBe(200)
    expect(again).toMatchObject({ status: 200, id: first.id, text: first.text })
    expect(third.id).toBe(first.id)
    expect([first, again, third].map(isReplayed)).toEqual([null, 'true', 'true'])
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    const [call, ...others] = upstream.journal
    expect(others).toEqual([])
    expect(call?.body).toEqual({ purpose: 'batch', file: { filename: 'a.jsonl', bytes: 4 } })
    expect(await listed(openai)).toEqual([first.id])
  })

  test('is refused another file by the same key, and the first stays what it is', async () => {
    const { openai } = await newcomer()
    const name = randomUUID()
    const first = await send(openai, name)
    for (const [content, filename] of [
      ['two\n', 'a.jsonl'],
      ['one\n', 'b.jsonl'],
      ['one\n\n', 'a.jsonl'],
    ] as const)
      expect(await send(openai, name, content, filename)).toMatchObject({
        status: 422,
        code: 'idempotency_key_reused',
      })
    expect(await send(openai, name)).toMatchObject({ status: 200, id: first.id })
    expect(asked()).toEqual(['POST /v1/files'])
    // Without that key, or with another, it is another file.
    const other = await send(openai, randomUUID())
    const bare = await openai.files.create({
      file: await toFile(Buffer.from('one\n'), 'a'),
      purpose: 'batch',
    })
    expect(new Set([first.id, other.id, bare.id]).size).toBe(3)
  })

  test('of another user, or with another key of the same one, is not affected', async () => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const { key } = await makeKey(ann.user, { scopes: ['gateway'] })
    const other = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 })
    const name = randomUUID()
    const told = [await send(ann.openai, name), await send(bob.openai, name, 'two'), await send(other, name)]
    expect(told.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(told.map(isReplayed)).toEqual([null, null, null])
    expect(new Set(told.map(({ id }) => id)).size).toBe(3)
    expect(await listed(bob.openai)).toEqual([told[1]?.id])
  })

  test('uses its key for one kind of call', async () => {
    const { openai } = await newcomer()
    const [forFile, forChat] = [randomUUID(), randomUUID()]
    const chat = (name: string) =>
      openai.chat.completions.create(
        { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hi' }] },
        { headers: { 'Idempotency-Key': name } },
      )
    await send(openai, forFile)
    await chat(forChat)
    const refusal = { status: 422, code: 'idempotency_key_reused' }
    await expect(chat(forFile)).rejects.toMatchObject(refusal)
    expect(await send(openai, forChat)).toMatchObject(refusal)
  })

  test('gets the first answer also once the file was deleted', async () => {
    const { openai } = await newcomer()
    const name = randomUUID()
    const first = await send(openai, name)
    await openai.files.delete(String(first.id))
    expect(await send(openai, name)).toMatchObject({ status: 200, text: first.text })
    expect(await listed(openai)).toEqual([])
    expect(asked()).toEqual(['POST /v1/files', `DELETE /v1/files/${first.id}`])
  })
})

describe('what is kept', () => {
  test('a refusal of the caller’s own making is, a fault of the server’s is not', async () => {
    const { openai } = await newcomer()
    const [kept, lost] = [randomUUID(), randomUUID()]
    upstream.script({ match: { path: '/v1/files' }, error: 'invalid_request' })
    const refused = await send(openai, kept)
    expect(refused.status).toBe(400)
    const again = await send(openai, kept)
    expect(again).toMatchObject({ status: 400, text: refused.text, code: refused.code })
    expect(isReplayed(again)).toBe('true')
    expect(upstream.journal).toHaveLength(1)
    for (const error of ['server_error', 'rate_limit_exceeded', 'invalid_api_key'] as const) {
      upstream.script({ match: { path: '/v1/files' }, error })
      expect((await send(openai, lost)).status).toBeGreaterThan(400)
    }
    const first = await send(openai, lost)
    expect(first.status).toBe(200)
    expect(isReplayed(first)).toBeNull()
    expect((await send(openai, lost)).id).toBe(first.id)
    expect(upstream.journal).toHaveLength(5)
    expect(await listed(openai)).toEqual([first.id])
  })

  test('a server that says nothing of use is asked again', async () => {
    const { user, openai } = await newcomer()
    const answers = ['<html>', '{"object":"file"}', '{"id":"file-9","purpose":"batch"}']
    const raw = await keepRaw(user, async (request, response) => {
      await bytesOf(request)
      response.end(answers.shift())
    })
    const name = randomUUID()
    const told = []
    for (let n = 0; n < 4; n++) told.push((await send(openai, name)).status)
    expect(told).toEqual([502, 502, 200, 200])
    expect(answers).toEqual([])
    await raw.close()
  })

  test('an answer to a part of the form is not, unless a file was made', async () => {
    const { user, key, openai } = await newcomer()
    let calls = 0
    const raw = await keepRaw(user, (request, response) => {
      calls += 1
      request.on('error', () => undefined)
      // Before any of it was read.
      const [status, said] =
        calls < 3
          ? [400, '{"error":{"message":"No","type":"invalid_request_error","param":null,"code":null}}']
          : [200, `{"id":"file-early-${calls}","purpose":"batch"}`]
      response.writeHead(status as number, { 'content-type': 'application/json' }).end(said)
    })
    const up = () =>
      post(server.url, { key, pieces: formPieces(20 * megabyte), more: withName('early-of-the-tests') })
    expect((await up())?.status).toBe(400)
    expect((await up())?.status).toBe(400)
    expect(calls).toBe(2)
    const made = await up()
    expect(made).toMatchObject({ status: 200, text: '{"id":"file-early-3","purpose":"batch"}' })
    const again = await up()
    expect(again).toMatchObject({ status: 200, text: made?.text })
    expect(again?.headers['idempotent-replayed']).toBe('true')
    expect(calls).toBe(3)
    expect(await listed(openai)).toEqual(['file-early-3'])
    await raw.close()
  })

  test('is told whichever key serves by then, and where none does', async () => {
    const { user, key, openai } = await newcomer()
    const taker = await keepTaker(user)
    const up = () => post(server.url, { key, pieces: formPieces(1000), more: withName('keys-of-the-tests') })
    const first = await up()
    expect(first?.status).toBe(200)
    await user.delete(`/api/credentials/${taker.credentialId}`)
    await taker.close()
    const again = await up()
    expect(again).toMatchObject({ status: 200, text: first?.text })
    expect(again?.headers).toMatchObject({ 'idempotent-replayed': 'true', 'openai-processing-ms': '7' })
    expect(asked()).toEqual([])
    expect(taker.seen).toHaveLength(1)
    expect(await listed(openai)).toEqual(['file-1'])
  })

  test('is known after the server has come again', async () => {
    const { openai, key } = await newcomer()
    const name = randomUUID()
    const first = await send(openai, name)
    await server.stop()
    server = await server.restart()
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 })
    const again = await send(client, name)
    expect(again).toMatchObject({ status: 200, id: first.id })
    expect(isReplayed(again)).toBe('true')
    expect(asked()).toEqual(['POST /v1/files'])
  })
})

describe('while the first upload is under way', () => {
  /** A server that answers when the test says so. */
  async function keepPatient(user: Client) {
    const received: Buffer[] = []
    const waiting: (() => void)[] = []
    let isOpen = false
    const answer = () => {
      for (const tell of waiting.splice(0)) tell()
    }
    let calls = 0
    let isGone = false
    const raw = await keepRaw(user, async (request, response) => {
      calls += 1
      const id = `file-patient-${calls}`
      response.on('close', () => {
        isGone = !response.writableFinished
      })
      request.on('error', () => undefined)
      request.on('data', (piece: Buffer) => received.push(piece))
      request.on('end', () => {
        waiting.push(() => response.end(`{"id":"${id}","purpose":"batch"}`))
        if (isOpen) answer()
      })
    })
    return {
      ...raw,
      calls: () => calls,
      isGone: () => isGone,
      received: () => received.reduce((sum, piece) => sum + piece.length, 0),
      isAsked: () => waiting.length > 0,
      letAnswer: () => {
        isOpen = true
        answer()
      },
    }
  }

  test('a second one is told so, also one with another file, and nothing of it goes to the server', async () => {
    const { user, openai } = await newcomer()
    const patient = await keepPatient(user)
    const name = randomUUID()
    const first = send(openai, name)
    await until(patient.isAsked).toBe(true)
    for (const content of ['one\n', 'two\n']) {
      const second = await send(openai, name, content)
      expect(second).toMatchObject({ status: 409, code: 'idempotency_key_in_use' })
      expect(second.headers.get('retry-after')).toBe('1')
    }
    patient.letAnswer()
    const { id } = await first
    expect(await send(openai, name)).toMatchObject({ status: 200, id })
    expect(patient.calls()).toBe(1)
    await patient.close()
  })

  test('many at once make one file', async () => {
    const { openai } = await newcomer()
    const name = randomUUID()
    upstream.script({ match: { path: '/v1/files' }, firstByteDelayMs: 300 })
    const all = await Promise.all(Array.from({ length: 12 }, () => send(openai, name)))
    const made = all.filter(({ status }) => status === 200)
    expect(new Set(made.map(({ id }) => id)).size).toBe(1)
    for (const { status, code } of all)
      if (status !== 200) expect([status, code]).toEqual([409, 'idempotency_key_in_use'])
    expect(asked()).toEqual(['POST /v1/files'])
  })

  test('one that was broken off midway can be made again', async () => {
    const { user, key } = await newcomer()
    const patient = await keepPatient(user)
    const more = withName('midway-of-the-tests')
    const call = Promise.withResolvers<ClientRequest>()
    const first = post(server.url, { key, pieces: formPieces(megabyte), more, hold: call.resolve })
    await until(patient.received).toBeGreaterThan(megabyte / 2)
    ;(await call.promise).destroy()
    expect(await first).toBeNull()
    await until(patient.isGone).toBe(true)
    patient.letAnswer()
    // The claim goes a moment after the connection.
    const again = () => post(server.url, { key, pieces: formPieces(1000), more })
    await expect.poll(again, { timeout: 20_000 }).toMatchObject({ status: 200 })
    expect(patient.calls()).toBe(2)
    await patient.close()
  })

  test('one whose sender leaves once all is sent is answered when it comes again, and makes one file', async () => {
    const { user, key, openai } = await newcomer()
    const patient = await keepPatient(user)
    const more = withName('left-of-the-tests')
    const pieces = [...formPieces(2000)]
    const hangUp = new AbortController()
    const first = fetch(`${server.url}/v1/files`, {
      method: 'POST',
      headers: { ...more, authorization: `Bearer ${key}`, 'content-type': typeOfPieces(pieces) },
      body: Buffer.concat(pieces),
      signal: hangUp.signal,
    }).catch(() => null)
    await until(patient.isAsked).toBe(true)
    hangUp.abort()
    expect(await first).toBeNull()
    const again = () => post(server.url, { key, pieces, more, type: typeOfPieces(pieces) })
    expect(await again()).toMatchObject({ status: 409 })
    patient.letAnswer()
    await expect.poll(again, { timeout: 10_000 }).toMatchObject({
      status: 200,
      text: expect.stringContaining('"file-patient-1"'),
      headers: { 'idempotent-replayed': 'true' },
    })
    expect(patient.calls()).toBe(1)
    expect(await listed(openai)).toEqual(['file-patient-1'])
    await patient.close()
  })

  const typeOfPieces = (pieces: Buffer[]) =>
    `multipart/form-data; boundary=${/^--(\S+)/.exec(String(pieces[0]))?.[1]}`
})

describe('a large form', () => {
  const boundaries = ['first-boundary', 'second-boundary-of-another-length']
  const content = Buffer.alloc(6 * megabyte, '{"line":1}\r\n--first-bound\r\n')
  const formWith = (boundary: string, given = content) =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n`),
      given,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ])
  /** In pieces that cut it anywhere. */
  const cut = (form: Buffer, size: number) =>
    Array.from({ length: Math.ceil(form.length / size) }, (_, n) => form.subarray(n * size, (n + 1) * size))
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  test('goes through byte for byte, and again with another boundary and other cuts is the same', async () => {
    const { user, key } = await newcomer()
    const taker = await keepTaker(user)
    const up = (boundary: string, size: number, given = content, bytes?: number) =>
      post(server.url, {
        key,
        pieces: cut(formWith(boundary, given), size),
        type: `multipart/form-data; boundary=${boundary}`,
        more: withName('large-of-the-tests'),
        bytes,
      })
    const [one, two] = boundaries as [string, string]
    const first = await up(one, 65_536)
    expect(first?.status).toBe(200)
    expect(taker.seen).toHaveLength(1)
    expect(taker.seen[0]?.type).toBe(`multipart/form-data; boundary=${one}`)
    expect(digest(taker.seen[0]?.bytes ?? Buffer.alloc(0))).toBe(digest(formWith(one)))
    const again = await up(two, 50_021, content, formWith(two).length)
    expect(again).toMatchObject({ status: 200, text: first?.text })
    expect(again?.headers['idempotent-replayed']).toBe('true')
    const other = Buffer.from(content)
    other.write('!', other.length - 1)
    const refused = await up(one, 65_536, other)
    expect(refused?.status).toBe(422)
    expect(JSON.parse(refused?.text ?? '')).toMatchObject({ error: { code: 'idempotency_key_reused' } })
    expect(taker.seen).toHaveLength(1)
    await taker.close()
  })
})

describe('what is refused before anything is sent', () => {
  test.each(['x'.repeat(256), 'a b', 'ü'])('a key that is none: %.20s', async (name) => {
    const { key } = await newcomer()
    const answer = await post(server.url, { key, pieces: formPieces(1000), more: withName(name) })
    expect(answer?.status).toBe(400)
    expect(JSON.parse(answer?.text ?? '')).toMatchObject({
      error: { type: 'invalid_request_error', param: 'Idempotency-Key' },
    })
    expect(asked()).toEqual([])
  })

  test('a body that is no form leaves the key unused', async () => {
    const { key, openai } = await newcomer()
    const name = randomUUID()
    const call = { key, pieces: [Buffer.from('{}')], type: 'application/json', more: withName(name) }
    expect((await post(server.url, call))?.status).toBe(415)
    expect((await send(openai, name)).status).toBe(200)
  })
})
