import { readFileSync } from 'node:fs'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Client, signUp } from '../support/client'
import { bytesOf, formPieces, post, startRawFiles } from '../support/gateway-upload'
import { makeKey } from '../support/keys'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'

// Files at the model server, through the gateway: as at OpenAI's, and each for its owner alone.
const upstreamKey = 'sk-test-files-upstream-88c2'
const megabyte = 1024 * 1024

let upstream: OpenAIServer
let server: TestServer
let admin: Client

beforeAll(async () => {
  upstream = await startOpenAI({
    acceptKey: (given) => given.startsWith('sk-test-files'),
    bodyLimitBytes: 128 * megabyte,
  })
  server = await startServer({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: upstreamKey })
  admin = await signUp(server.url, 'admin')
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await server.close()
  await upstream.close()
})

async function keyOf(user: Client, wish: { project_id?: string } = {}): Promise<string> {
  return (await makeKey(user, { scopes: ['gateway'], ...wish })).key
}

const clientWith = (apiKey: string) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 })

/** Someone who has just come, with a key and a client. */
async function newcomer() {
  const user = await signUp(server.url)
  const key = await keyOf(user)
  return { user, key, openai: clientWith(key) }
}

const lines = '{"custom_id":"1"}\n'
type Purpose = Parameters<OpenAI['files']['create']>[0]['purpose']

async function create(openai: OpenAI, name = 'batch.jsonl', purpose: Purpose = 'batch') {
  return openai.files.create({ file: await toFile(Buffer.from(lines), name), purpose })
}

async function namesOf(openai: OpenAI, query: OpenAI.FileListParams = {}): Promise<string[]> {
  const names: string[] = []
  for await (const { filename } of openai.files.list(query)) names.push(filename)
  return names
}

async function ask(method: string, path: string, key: string) {
  const answer = await fetch(server.url + path, { method, headers: { authorization: `Bearer ${key}` } })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

const asked = () => upstream.journal.map(({ method, path }) => `${method} ${path}`)
const until = (check: () => unknown) => expect.poll(check, { timeout: 10_000 })

/** A key of the user's for a server that does as the test says. */
async function keepRaw(user: Client, meet: Parameters<typeof startRawFiles>[0], type = 'openai-compatible') {
  const raw = await startRawFiles(meet)
  const kept = await user.post('/api/credentials', {
    credentialType: type,
    baseUrl: raw.baseUrl,
    credentials: { api_key: 'sk-test-of-the-raw-server' },
  })
  expect(kept.status, kept.text).toBe(201)
  return { ...raw, credentialId: String(kept.body.id) }
}

describe('the official client', () => {
  test('uploads, lists, retrieves, reads and deletes', async () => {
    const { openai } = await newcomer()
    const made = await create(openai)
    expect(made).toMatchObject({ object: 'file', purpose: 'batch', bytes: lines.length, status: 'processed' })
    expect(upstream.journal[0]?.body).toEqual({
      purpose: 'batch',
      file: { filename: 'batch.jsonl', bytes: lines.length },
    })
    expect(upstream.journal[0]?.headers.authorization).toBe(`Bearer ${upstreamKey}`)
    expect((await openai.files.list()).data).toEqual([made])
    expect(await openai.files.retrieve(made.id)).toEqual(made)
    const content = await openai.files.content(made.id)
    expect(await content.text()).toBe(lines)
    expect(content.headers.get('content-type')).toBe('application/octet-stream')
    expect(content.headers.get('content-disposition')).toMatch(/^attachment; filename=/)
    expect(content.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'")
    expect(await openai.files.delete(made.id)).toEqual({ object: 'file', id: made.id, deleted: true })
    expect(await namesOf(openai)).toEqual([])
    await expect(openai.files.retrieve(made.id)).rejects.toMatchObject({ status: 404 })
  })

  test('is told what OpenAI refuses, in its words', async () => {
    const { openai } = await newcomer()
    await expect(create(openai, 'x.jsonl', 'none' as Purpose)).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param: 'purpose',
      message: expect.stringContaining("'none' is not one of"),
    })
    const picture = await create(openai, 'x.png', 'vision')
    await expect(openai.files.content(picture.id)).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('Not allowed to download files of purpose: vision'),
    })
    upstream.script({ match: { path: '/v1/files' }, error: 'invalid_api_key' })
    const refused = await openai.files.retrieve(picture.id).catch((error: unknown) => error)
    expect(refused).toMatchObject({ status: 401, code: 'invalid_api_key' })
    expect(JSON.stringify(refused)).not.toMatch(/sk-test|88c2|org-|proj_/)
  })

  test('pages through its files, in either order, of one purpose or all', async () => {
    const { key, openai } = await newcomer()
    for (const [index, name] of ['a', 'b', 'c', 'd', 'e'].entries())
      await create(openai, name, index % 2 === 0 ? 'batch' : 'evals')
    expect(await namesOf(openai)).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(await namesOf(openai, { limit: 2 })).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(await namesOf(openai, { limit: 2, order: 'asc' })).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(await namesOf(openai, { purpose: 'evals' })).toEqual(['d', 'b'])
    const page = async (query: string) => JSON.parse((await ask('GET', `/v1/files?${query}`, key)).text)
    const two = await page('limit=2&order=asc')
    const ids = two.data.map(({ id }: { id: string }) => id)
    expect(two).toMatchObject({ object: 'list', first_id: ids[0], last_id: ids[1], has_more: true })
    const ends = { first_id: null, last_id: null, has_more: false }
    expect(await page('purpose=vision')).toEqual({ object: 'list', data: [], ...ends })
    for (const query of [{ limit: 0 }, { limit: 10_001 }, { order: 'up' as 'asc' }, { after: 'file-none' }])
      await expect(openai.files.list(query)).rejects.toMatchObject({
        status: 400,
        type: 'invalid_request_error',
      })
  })
})

test('a form goes through byte for byte, with its length or in chunks, and the answer comes back so', async () => {
  const { user, key } = await newcomer()
  const seen: { headers: Record<string, unknown>; bytes: Buffer }[] = []
  const object = '{ "id":"file-7" ,"object":"file","purpose":"odd","n":-0.0,"x":"\\u00e9" }\n'
  const raw = await keepRaw(user, async (request, response) => {
    seen.push({ headers: request.headers, bytes: await bytesOf(request) })
    response
      .writeHead(201, { 'content-type': 'application/json', 'openai-organization': 'org-x' })
      .end(object)
  })
  const type = 'multipart/form-data;  charset=x; boundary="odd \'one"; more=1'
  const body = Buffer.from(
    "preamble\r\n--odd 'one\r\nX: y\r\n\r\n\0\xff\r\n--odd 'one--\r\nepilogue",
    'latin1',
  )
  for (const bytes of [body.length, undefined]) {
    const answer = await post(server.url, {
      key,
      pieces: [body.subarray(0, 9), body.subarray(9)],
      type,
      bytes,
    })
    expect(answer).toMatchObject({ status: 201, text: object })
    expect(answer?.headers['openai-organization']).toBeUndefined()
    expect(seen.at(-1)?.bytes.toString('hex')).toBe(body.toString('hex'))
    expect(seen.at(-1)?.headers).toMatchObject({
      'content-type': type,
      authorization: 'Bearer sk-test-of-the-raw-server',
    })
    expect(seen.at(-1)?.headers['content-length']).toBe(bytes === undefined ? undefined : String(bytes))
    expect(JSON.stringify(seen.at(-1)?.headers)).not.toContain('alc_')
  }
  // The same id of the same server is the same file.
  expect((await ask('GET', '/v1/files', key)).text).toBe(
    `{"object":"list","data":[${object}],"first_id":"file-7","last_id":"file-7","has_more":false}`,
  )
  await raw.close()
})

describe('a file is its owner’s alone', () => {
  test('nobody else lists, retrieves, reads or deletes it, and the server is not asked about it', async () => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const theirs = await create(ann.openai, 'of ann')
    const before = asked().length
    for (const { key } of [bob, { key: String(admin.token) }])
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['GET', '/content'],
      ] as const) {
        const { status, text } = await ask(method, `/v1/files/${theirs.id}${path}`, key)
        expect(status).toBe(404)
        const message = `No such File object: ${theirs.id}`
        expect(JSON.parse(text).error).toMatchObject({
          message,
          type: 'invalid_request_error',
          param: 'id',
          code: null,
        })
        const none = await ask(method, `/v1/files/file-none${path}`, key)
        expect(none.text).toBe(text.replaceAll(theirs.id, 'file-none'))
      }
    expect(asked().slice(before)).toEqual([])
    expect(await namesOf(bob.openai)).toEqual([])
    await expect(bob.openai.files.list({ after: theirs.id })).rejects.toMatchObject({ status: 400 })
    expect(await namesOf(ann.openai)).toEqual(['of ann'])
  })

  test('what a key made that is bound to a project, no key of another project reaches; one of none, and of all', async () => {
    const { user, openai } = await newcomer()
    const projectIds = await Promise.all(
      ['One', 'Two'].map(async (name) => String((await user.post('/api/projects', { name })).body.id)),
    )
    const bound = await Promise.all(
      projectIds.map(async (project_id) => clientWith(await keyOf(user, { project_id }))),
    )
    const again = clientWith(await keyOf(user, { project_id: String(projectIds[0]) }))
    const [one, two] = bound as [OpenAI, OpenAI]
    const files = [await create(openai, 'unbound'), await create(one, 'of one'), await create(two, 'of two')]
    for (const [client, names] of [
      [openai, ['of two', 'of one', 'unbound']],
      [one, ['of one']],
      [again, ['of one']],
      [two, ['of two']],
    ] as const) {
      expect(await namesOf(client)).toEqual(names)
      expect(await namesOf(client, { limit: 1 })).toEqual(names)
      for (const { id, filename } of files)
        if ((names as readonly string[]).includes(filename))
          expect((await client.files.retrieve(id)).filename).toBe(filename)
        else await expect(client.files.delete(id)).rejects.toMatchObject({ status: 404 })
    }
    await openai.files.delete(String(files[2]?.id))
    expect(await namesOf(two)).toEqual([])
  })

  test('a call to a model names its caller’s own files, and no others', async () => {
    const [ann, bob] = [await newcomer(), await newcomer()]
    const { id } = await create(ann.openai, 'of ann', 'user_data')
    const input = [{ role: 'user' as const, content: [{ type: 'input_file' as const, file_id: id }] }]
    const content = [{ type: 'file' as const, file: { file_id: id } }]
    const asks = [
      ({ openai }: typeof ann) => openai.responses.create({ model: 'gpt-5-mini', input }),
      ({ openai }: typeof ann) =>
        openai.chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content }] }),
    ]
    for (const one of asks) {
      expect(await one(ann)).toMatchObject({ object: expect.any(String) })
      const before = asked().length
      await expect(one(bob)).rejects.toMatchObject({
        status: 404,
        type: 'invalid_request_error',
        param: 'file_id',
        code: null,
        message: expect.stringContaining(`No such File object: ${id}`),
      })
      expect(asked()).toHaveLength(before)
    }
  })

  test('servers that count their files each for itself are in nobody’s way', async () => {
    const people = await Promise.all(
      ['ann', 'bob'].map(async (name) => {
        const one = await newcomer()
        const raw = await keepRaw(one.user, async (request, response) => {
          await bytesOf(request)
          const file = { id: 'file-1', object: 'file', filename: name, purpose: 'batch' }
          response.setHeader('content-type', 'application/json').end(JSON.stringify(file))
        })
        return { ...one, name, raw }
      }),
    )
    for (const { openai } of people) await create(openai)
    for (const { openai, name, raw } of people) {
      expect(await namesOf(openai)).toEqual([name])
      expect((await openai.files.retrieve('file-1')).filename).toBe(name)
      await raw.close()
    }
  })

  test.each(['..%2Fmodels', '%2e%2e', 'a%2Fb', 'a/b', 'file-1?x=y', 'x'.repeat(129), 'a%00b', 'file-1%23'])(
    'an id does not lead to another address: %s',
    async (id) => {
      const { key } = await newcomer()
      for (const path of [`/v1/files/${id}`, `/v1/files/${id}/content`])
        for (const method of ['GET', 'DELETE'])
          expect([400, 404, 405]).toContain((await ask(method, path, key)).status)
      expect(asked()).toEqual([])
    },
  )
})

describe('the key that made a file', () => {
  test('is used for it, whichever key serves meanwhile', async () => {
    const { user, openai } = await newcomer()
    const made = await create(openai)
    const own = {
      credentialType: 'openai',
      baseUrl: upstream.baseUrl,
      credentials: { api_key: 'sk-test-files-own-1d' },
    }
    const kept = await user.post('/api/credentials', own)
    expect(kept.status, kept.text).toBe(201)
    const other = await create(openai)
    await openai.files.retrieve(made.id)
    await openai.files.retrieve(other.id)
    // Without that key, another that leads to the same account’s address is tried.
    expect((await user.delete(`/api/credentials/${kept.body.id}`)).status).toBe(204)
    await openai.files.delete(other.id)
    const keys = upstream.journal.map(({ headers }) => headers.authorization?.replace('Bearer ', ''))
    const [env, mine] = [upstreamKey, 'sk-test-files-own-1d']
    expect(keys).toEqual([env, mine, env, mine, env])
  })

  test('is asked for, where no other leads to the file', async () => {
    const { user, openai } = await newcomer()
    const raw = await keepRaw(user, async (request, response) => {
      await bytesOf(request)
      response.setHeader('content-type', 'application/json').end('{"id":"file-lost","purpose":"batch"}')
    })
    await create(openai)
    await user.delete(`/api/credentials/${raw.credentialId}`)
    await expect(openai.files.retrieve('file-lost')).rejects.toMatchObject({
      status: 502,
      code: 'no_provider_key',
    })
    expect((await openai.files.list()).data).toHaveLength(1)
    expect(asked()).toEqual([])
    await raw.close()
  })
})

describe('deleting', () => {
  test('what the server has lost is gone from the list, too', async () => {
    const { openai } = await newcomer()
    const { id } = await create(openai)
    upstream.reset()
    await expect(openai.files.delete(id)).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining(`No such File object: ${id}`),
    })
    expect(await namesOf(openai)).toEqual([])
  })

  test('where the server fails, the file stays in the list', async () => {
    const { openai } = await newcomer()
    const { id } = await create(openai, 'stays')
    upstream.script({ match: { path: '/v1/files' }, error: 'server_error' })
    await expect(openai.files.delete(id)).rejects.toMatchObject({ status: 500 })
    expect(await namesOf(openai)).toEqual(['stays'])
    expect(await openai.files.delete(id)).toMatchObject({ deleted: true })
  })
})

describe('what is no upload is refused', () => {
  test.each([
    ['application/json', '{}', 415],
    ['multipart/form-data', 'x', 415],
    [`multipart/form-data; boundary=${'x'.repeat(400)}`, 'x', 415],
    ['multipart/form-data; boundary=x', '--x--', 400],
  ])('%s', async (type, body, status) => {
    const { key } = await newcomer()
    const answer = await post(server.url, { key, pieces: [Buffer.from(body)], type, bytes: body.length })
    expect(answer?.status, answer?.text).toBe(status)
    expect(JSON.parse(answer?.text ?? '')).toMatchObject({ error: { type: 'invalid_request_error' } })
  })

  test('one that says it is larger than 512 MB, before it is read', async () => {
    const { key } = await newcomer()
    const call = { key, pieces: [Buffer.from('--x')], bytes: 600 * megabyte, hold: () => undefined }
    expect(await post(server.url, call)).toMatchObject({
      status: 413,
      text: expect.stringContaining('512 MB'),
    })
    expect(asked()).toEqual([])
  })

  test('one without a key of a model server', async () => {
    const bare = await startServer()
    const key = await keyOf(await signUp(bare.url))
    const answer = await post(bare.url, { key, pieces: formPieces(1000) })
    expect(answer?.status).toBe(502)
    expect(JSON.parse(answer?.text ?? '')).toMatchObject({ error: { code: 'no_provider_key' } })
    await bare.close()
  })

  test('by a server that does not wait for all of it: its answer is told, and nothing more is sent there', async () => {
    const { user, key } = await newcomer()
    let received = 0
    let isClosed = false
    const raw = await keepRaw(user, (request, response) => {
      request.on('data', (piece: Buffer) => {
        received += piece.length
      })
      request.on('error', () => undefined)
      response.on('close', () => undefined)
      request.socket.on('close', () => {
        isClosed = true
      })
      const error = { message: 'No more', type: 'quota', param: null, code: 'full' }
      response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    })
    const answer = await post(server.url, { key, pieces: formPieces(48 * megabyte) })
    expect(answer?.status).toBe(403)
    expect(JSON.parse(answer?.text ?? '')).toMatchObject({ error: { type: 'quota', code: 'full' } })
    await until(() => isClosed).toBe(true)
    expect(received).toBeLessThan(40 * megabyte)
    await raw.close()
  })
})

test.each([
  '{"id":"file/../x"}',
  '{"object":"file"}',
  '<html>',
  `{"id":"file-1","x":"${'x'.repeat(5000)}"}`,
  '[]',
])('an answer that names no file is not taken for one: %.40s', async (said) => {
  const { user, openai } = await newcomer()
  const raw = await keepRaw(user, async (request, response) => {
    await bytesOf(request)
    response.end(said)
  })
  await expect(create(openai)).rejects.toMatchObject({ status: 502, code: 'provider_failed' })
  expect(await namesOf(openai)).toEqual([])
  await raw.close()
})

describe('who leaves', () => {
  test('in the middle of an upload closes it at the server', async () => {
    const { user, key } = await newcomer()
    let received = 0
    let isGone = false
    const raw = await keepRaw(user, (request) => {
      request.on('data', (piece: Buffer) => {
        received += piece.length
      })
      request
        .on('error', () => undefined)
        .on('close', () => {
          isGone = true
        })
    })
    let hangUp = () => undefined as unknown
    const answer = post(server.url, {
      key,
      pieces: formPieces(megabyte),
      hold: (call) => {
        hangUp = () => call.destroy()
      },
    })
    await until(() => received).toBeGreaterThan(megabyte)
    expect(isGone).toBe(false)
    hangUp()
    expect(await answer).toBeNull()
    await until(() => isGone).toBe(true)
    await raw.close()
  })

  /** Reads contents that have no end, and what the server saw of its reader. */
  async function openEndless() {
    const one = await newcomer()
    const seen = { isGone: false }
    const raw = await keepRaw(one.user, async (request, response) => {
      await bytesOf(request)
      if (request.method === 'POST') return void response.end('{"id":"file-endless","purpose":"batch"}')
      response.writeHead(200, { 'content-type': 'text/html' })
      const again = setInterval(() => response.write('<script>'.repeat(100)), 20)
      response.on('close', () => {
        clearInterval(again)
        seen.isGone = true
      })
    })
    await create(one.openai)
    return { ...one, raw, seen }
  }

  test('in the middle of a content closes it at the server, and so does one who wants only its head', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { key, raw, seen } = await openEndless()
      const gone = new AbortController()
      const content = await fetch(`${server.url}/v1/files/file-endless/content`, {
        method,
        headers: { authorization: `Bearer ${key}` },
        signal: gone.signal,
      })
      expect(content.status).toBe(200)
      expect(content.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'")
      expect(content.headers.get('content-disposition')).toBe('attachment')
      expect(content.headers.get('x-content-type-options')).toBe('nosniff')
      if (method === 'GET') {
        await content.body?.getReader().read()
        expect(seen.isGone).toBe(false)
        gone.abort()
      }
      await until(() => seen.isGone).toBe(true)
      await raw.close()
    }
  })

  test('because the key was revoked leaves a content that is being read, too', async () => {
    const { user, openai, raw, seen } = await openEndless()
    const content = await openai.files.content('file-endless')
    const reading = content.text().catch((error: unknown) => error)
    const keys = (await user.get<{ items: { id: string }[] }>('/api/keys')).body.items
    for (const { id } of keys) await user.delete(`/api/keys/${id}`)
    await until(() => seen.isGone).toBe(true)
    expect(await reading).toBeInstanceOf(Error)
    await raw.close()
  })
})

test('240 MB go up at once and 60 MB come down, and the server has a part of them in memory', async () => {
  const resident = () =>
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) * 1024
  const { user, key } = await newcomer()
  let received = 0
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const raw = await keepRaw(user, async (request, response) => {
    for await (const piece of request as AsyncIterable<Buffer>) received += piece.length
    if (request.method === 'POST') return void response.end('{"id":"file-large","purpose":"batch"}')
    response.writeHead(200, { 'content-length': 60 * megabyte })
    for (let sent = 0; sent < 60 * megabyte; sent += chunk.length)
      if (!response.write(chunk)) await new Promise((drained) => response.once('drain', drained))
    response.end()
  })
  const up = (bytes: number) => post(server.url, { key, pieces: formPieces(bytes) })
  // Once without being measured: what the server grows by anyway, it has then.
  await up(20 * megabyte)
  const before = resident()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, resident())
  }, 20)
  received = 0
  const answers = await Promise.all([60, 60, 60, 60].map((size) => up(size * megabyte)))
  expect(answers.map((answer) => answer?.status)).toEqual([200, 200, 200, 200])
  expect(received).toBeGreaterThan(240 * megabyte)
  const headers = { authorization: `Bearer ${key}` }
  const content = await fetch(`${server.url}/v1/files/file-large/content`, { headers })
  let read = 0
  for await (const piece of content.body ?? []) read += piece.length
  expect(read).toBe(60 * megabyte)
  clearInterval(watch)
  console.info(
    `memory: ${Math.round(before / megabyte)} MB before, ${Math.round(peak / megabyte)} MB at most`,
  )
  expect(peak - before).toBeLessThan(100 * megabyte)
  await raw.close()
})

test('the list of files is there for a session, and for no key without the scope', async () => {
  const { user } = await newcomer()
  expect((await user.get('/v1/files')).body).toMatchObject({ object: 'list', data: [] })
  const { key } = await makeKey(user, { scopes: ['chat'] })
  for (const [method, path] of [
    ['GET', '/v1/files'],
    ['POST', '/v1/files'],
    ['GET', '/v1/files/file-1'],
    ['GET', '/v1/files/file-1/content'],
    ['DELETE', '/v1/files/file-1'],
  ] as const)
    expect((await new Client(server.url, key).call(method, path)).status, path).toBe(403)
})
