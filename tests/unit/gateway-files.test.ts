import { randomUUID } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Actor } from '@/lib/auth'
import { ListRemoteFiles } from '@/lib/contracts/gateway'
import { CreateProject } from '@/lib/contracts/projects'
import { db } from '@/lib/db'
import { AppError } from '@/lib/errors'
import { createFile, deleteFile, getFile, listFiles } from '@/lib/gateway'
import { PassingForm } from '@/lib/gateway/file-form'
import { requireOwnFiles } from '@/lib/gateway/own-files'
import { createProject } from '@/lib/projects'
import type { LentKey } from '@/lib/vault'
import { formOf } from '../support/files'
import { makeActor, openLibrary } from '../support/library'
import { type OpenAIServer, startOpenAI } from '../support/openai'

let upstream: OpenAIServer
let close: () => Promise<void>
let ada: Actor
let eve: Actor

beforeAll(async () => {
  upstream = await startOpenAI()
  close = await openLibrary({ OPENAI_API_KEY: 'sk-test-of-files', OPENAI_BASE_URL: upstream.baseUrl })
  ada = await signIn('ada')
  eve = await signIn('eve')
})
afterAll(async () => {
  await close()
  await upstream.close()
})
beforeEach(async () => {
  upstream.reset()
  await db().gatewayFile.deleteMany()
})

/** Someone whose session is there. */
async function signIn(name: string): Promise<Actor> {
  const actor = await makeActor(name)
  const { sessionId: id, userId } = actor
  await db().session.create({ data: { id, userId, expiresAt: new Date(Date.now() + 3_600_000) } })
  return actor
}

/** An upload as it comes; `more` are headers. */
function requestOf(body: BodyInit, more: Record<string, string> = {}): Request {
  return new Request(
    'http://here/v1/files',
    Object.assign({ method: 'POST', headers: more, body }, { duplex: 'half' }),
  )
}

const uploadOf = (name = 'a.jsonl') => requestOf(formOf(name, '{}\n', { purpose: 'batch' }))
const about = () => new Request('http://here/v1/files/x')

async function create(actor: Actor, name?: string): Promise<string> {
  const answer = await createFile(actor, uploadOf(name))
  expect(answer.status).toBe(200)
  return String((await answer.json()).id)
}

async function list(actor: Actor, query: object = {}) {
  const answer = await listFiles(actor, ListRemoteFiles.parse(query))
  return (await answer.json()) as {
    data: { id: string; filename: string }[]
    has_more: boolean
    last_id: string
  }
}

const codeOf = (doing: Promise<unknown>) =>
  doing.then(
    () => null,
    (error: AppError) => error.code,
  )
const asked = () => upstream.journal.map(({ method, path }) => `${method} ${path}`)

/** The key of the environment as it is lent, or another. */
const keyOf = (more: Partial<LentKey> = {}): LentKey => ({
  provider: 'openai',
  source: 'environment',
  baseUrl: upstream.baseUrl,
  credentialId: null,
  label: null,
  last4: null,
  apiKey: 'sk-test-of-files',
  ...more,
})

/** A row as an upload leaves it. */
async function keepRow(actor: Actor, fileId: string, more: object = {}) {
  const { provider, source, baseUrl, credentialId } = keyOf()
  const bound = actor.boundTo === null ? '' : `/${actor.boundTo}`
  const object = JSON.stringify({ id: fileId, object: 'file', filename: fileId, expires_at: null })
  const whose = { id: `${fileId}@${actor.userId}${bound}`, userId: actor.userId, projectId: actor.boundTo }
  const data = { ...whose, provider, source, baseUrl, credentialId, purpose: 'batch', object, ...more }
  return db().gatewayFile.create({ data })
}

test('a file that cannot be written down is deleted again, and its upload fails', async () => {
  const gone = await signIn('gone')
  upstream.script({ match: { path: '/v1/files' }, firstByteDelayMs: 1000 })
  const sending = codeOf(createFile(gone, uploadOf()))
  await expect.poll(asked, { timeout: 10_000 }).toEqual(['POST /v1/files'])
  await db().user.delete({ where: { id: gone.userId } })
  expect(await sending).toBe('not_found')
  expect(asked()).toEqual(['POST /v1/files', expect.stringMatching(/^DELETE \/v1\/files\/file-\w+$/)])
  expect(upstream.journal[1]?.status).toBe(200)
  expect(await db().gatewayFile.count()).toBe(0)
})

test('whose a file is, is written down before the upload is answered', async () => {
  const answer = await createFile(ada, uploadOf())
  const [row] = await db().gatewayFile.findMany()
  const text = await answer.text()
  expect(row).toMatchObject({ userId: ada.userId, projectId: null, purpose: 'batch', object: text })
  expect(row).toMatchObject({ provider: 'openai', source: 'environment', baseUrl: upstream.baseUrl })
})

test('what a server says of a file later is what the list says', async () => {
  const id = await create(ada)
  const changed = `{"id":"${id}","status":"uploaded"}`
  await db().gatewayFile.updateMany({ data: { object: changed } })
  expect((await list(ada)).data).toEqual([JSON.parse(changed)])
  const now = await (await getFile(ada, id, about())).json()
  expect((await list(ada)).data).toEqual([now])
  expect(now.status).toBe('processed')
})

test('pages hold every file once, in its place, also those of one moment', async () => {
  const moments = [3, 1, 2, 2, 2, 5, 5, 4, 2, 1].map((second) => new Date(1_700_000_000_000 + second * 1000))
  for (const [n, createdAt] of moments.entries()) await keepRow(ada, `file-${n}`, { createdAt })
  await keepRow(eve, 'file-of-eve', { createdAt: moments[0] })
  const rows = await db().gatewayFile.findMany({ where: { userId: ada.userId } })
  const inOrder = rows
    .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id.split('@')[0])
  for (const limit of ['1', '2', '3', '4', '9', '10', '11'])
    for (const order of ['asc', 'desc']) {
      const seen: string[] = []
      for (
        let page = await list(ada, { limit, order });
        ;
        page = await list(ada, { limit, order, after: page.last_id })
      ) {
        seen.push(...page.data.map(({ id }) => id))
        if (!page.has_more) break
        expect(page.data).toHaveLength(Number(limit))
      }
      expect(seen).toEqual(order === 'asc' ? inOrder : inOrder.toReversed())
    }
})

test('what has expired is in no list any more; what only speaks of it is', async () => {
  const past = Math.floor(Date.now() / 1000) - 5
  const objects: Record<string, string> = {
    'file-past': `{"id":"file-past","expires_at": ${past} }`,
    'file-past-too': `{"expires_at":${past},"id":"file-past-too"}`,
    'file-later': `{"id":"file-later","expires_at":${past + 1000}}`,
    'file-never': '{"id":"file-never","expires_at":null}',
    'file-named': `{"id":"file-named","filename":"\\"expires_at\\":1,\\u0000\\ud800"}`,
    'file-odd': `{"id":"file-odd","expires_at":1e99}`,
    'file-far': `{"id":"file-far","expires_at":999999999999999999999}`,
  }
  for (const [id, object] of Object.entries(objects)) await keepRow(ada, id, { object })
  await keepRow(eve, 'file-past', { object: objects['file-past'] })
  const left = ['file-far', 'file-later', 'file-named', 'file-never', 'file-odd']
  expect((await list(ada)).data.map(({ id }) => id).sort()).toEqual(left)
  expect(await db().gatewayFile.count({ where: { userId: eve.userId } })).toBe(1)
})

test('who has 20,000 files sends no more until some are deleted', async () => {
  await db().$executeRaw`
    INSERT INTO gateway_files (id, user_id, provider, source, base_url, purpose, object)
    SELECT 'file-' || n || '@' || ${ada.userId}, ${ada.userId}::uuid, 'openai', 'user', 'http://x/v1', 'batch', '{}'
    FROM generate_series(1, 20000) AS n`
  expect(await codeOf(createFile(ada, uploadOf()))).toBe('invalid_input')
  expect(asked()).toEqual([])
  await create(eve)
  await db().gatewayFile.delete({ where: { id: `file-7@${ada.userId}` } })
  await create(ada)
})

test('a user sends 32 files at a time, which others do not feel', async () => {
  upstream.script({ match: { path: '/v1/files' }, firstByteDelayMs: 2000 }, { times: 32 })
  const sending = Array.from({ length: 32 }, () => createFile(ada, uploadOf()))
  expect(await codeOf(createFile(ada, uploadOf()))).toBe('too_many_requests')
  await create(eve)
  for (const { status } of await Promise.all(sending)) expect(status).toBe(200)
  await create(ada)
})

test('a form that falls silent is given up after a minute, and one of more than 512 MB as soon as it is too large', async () => {
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const silent = new PassingForm(
    requestOf(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(3)) }), headers),
  )
  const pieces = silent.pieces()
  expect((await pieces.next()).value).toHaveLength(3)
  await vi.advanceTimersByTimeAsync(600_000)
  const next = codeOf(pieces.next())
  await vi.advanceTimersByTimeAsync(60_000)
  vi.useRealTimers()
  expect(await next).toBe('invalid_input')
  const megabyte = new Uint8Array(1024 * 1024)
  const endless = new ReadableStream({ pull: (c) => c.enqueue(megabyte) })
  let size = 0
  const read = async () => {
    for await (const piece of new PassingForm(requestOf(endless, headers)).pieces()) size += piece.length
  }
  expect(await codeOf(read())).toBe('too_large')
  expect(size).toBe(512 * megabyte.length)
})

test('a request can name its sender’s own files alone, and only with a key that leads to them', async () => {
  const project = await createProject(ada, CreateProject.parse({ name: 'Engines' }))
  const bound = { ...ada, boundTo: project.id }
  const id = await create(ada)
  const refusal = (actor: Actor, fileIds: string[], key = keyOf()) =>
    codeOf(requireOwnFiles(actor, key, fileIds))
  expect(await refusal(ada, [])).toBeNull()
  expect(await refusal(ada, [id, id])).toBeNull()
  for (const other of ['file-none', 'x'.repeat(5000), `${id}@${ada.userId}`, `${id} `, '', '%', '../models'])
    expect(await refusal(ada, [id, other]), other).toBe('not_found')
  expect(await refusal(eve, [id])).toBe('not_found')
  expect(await refusal(bound, [id])).toBe('not_found')
  const ofBound = await create(bound)
  expect(await refusal(bound, [ofBound])).toBeNull()
  expect(await refusal(ada, [ofBound])).toBeNull()
  expect(await refusal({ ...bound, boundTo: newId() }, [ofBound])).toBe('not_found')
  expect(await refusal({ ...eve, boundTo: project.id }, [ofBound])).toBe('not_found')
  const many = Array.from({ length: 1001 }, (_, n) => `file-${n}`)
  expect(await refusal(ada, many)).toBe('invalid_input')
  await deleteFile(ada, id, about())
  expect(await refusal(ada, [id])).toBe('not_found')
})

test('what another server calls like somebody’s file opens it to nobody', async () => {
  const theirs = await create(eve)
  const ownServer = { provider: 'openai', source: 'user', baseUrl: 'http://127.0.0.1:9/v1' } as const
  await keepRow(ada, theirs, ownServer)
  const file = await db().file.create({
    data: {
      id: newId(),
      userId: ada.userId,
      filename: 'x',
      mimeType: 'text/plain',
      bytes: 1,
      purpose: 'vision',
    },
  })
  const account = `user|${newId()}|1|${ownServer.baseUrl}`
  await db().fileCopy.create({ data: { fileId: file.id, account, remoteId: theirs } })
  const check = (key: LentKey) => codeOf(requireOwnFiles(ada, key, [theirs]))
  expect(await check(keyOf())).toBe('not_found')
  expect(await check(keyOf(ownServer))).toBeNull()
})

test('where ids are not unique, a file is reached by keys of the same owner alone; at OpenAI by any of that address', async () => {
  const compatible = {
    provider: 'openai-compatible',
    source: 'user',
    baseUrl: 'http://127.0.0.1:9/v1',
  } as const
  await keepRow(ada, 'file-1', { ...compatible, credentialId: newId() })
  await keepRow(ada, 'file-2', { ...compatible, provider: 'openai' })
  const check = (id: string, more: Partial<LentKey>) =>
    codeOf(requireOwnFiles(ada, keyOf({ ...compatible, ...more }), [id]))
  expect(await check('file-1', { credentialId: newId() })).toBeNull()
  expect(await check('file-1', { source: 'global' })).toBe('not_found')
  expect(await check('file-1', { provider: 'openai' })).toBe('not_found')
  expect(await check('file-2', { provider: 'openai', source: 'global' })).toBeNull()
  expect(await check('file-2', { provider: 'openai', baseUrl: 'http://127.0.0.1:9/v2' })).toBe('not_found')
})

test('files that were uploaded for a chat are their owner’s in the gateway, too', async () => {
  const project = await createProject(ada, CreateProject.parse({ name: 'Engines' }))
  const make = async (userId: string, projectId: string | null) => {
    const [id, remoteId] = [newId(), `file-${randomUUID()}`]
    const data = { id, userId, projectId, filename: 'x', mimeType: 'text/plain', bytes: 1, purpose: 'vision' }
    await db().file.create({ data: { ...data, shared: projectId !== null } })
    const account = `environment||0|${upstream.baseUrl}`
    await db().fileCopy.create({ data: { fileId: id, account, remoteId } })
    return remoteId
  }
  const [mine, inProject, ofEve] = [
    await make(ada.userId, null),
    await make(ada.userId, project.id),
    await make(eve.userId, project.id),
  ]
  const gateway = await create(ada)
  const check = (actor: Actor, ...fileIds: string[]) => codeOf(requireOwnFiles(actor, keyOf(), fileIds))
  expect(await check(ada, mine, inProject, gateway)).toBeNull()
  expect(await check(ada, ofEve)).toBe('not_found')
  const bound = { ...ada, boundTo: project.id }
  expect(await check(bound, inProject)).toBeNull()
  expect(await check(bound, mine)).toBe('not_found')
})

test('a refusal names the file and the field, in OpenAI’s words, but nothing that looks like a key', async () => {
  const refused = (id: string) => requireOwnFiles(ada, keyOf(), [id]).catch((error: unknown) => error)
  expect(await refused('file-none')).toMatchObject({
    message: 'No such File object: file-none',
    issues: [{ path: 'file_id' }],
  })
  const told = await refused('sk-test-in-the-wrong-place')
  expect(told).toBeInstanceOf(AppError)
  expect(JSON.stringify(told) + String(told)).not.toContain('sk-test')
})
