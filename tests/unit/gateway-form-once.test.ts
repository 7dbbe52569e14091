import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Actor } from '@/lib/auth'
import { db } from '@/lib/db'
import type { AppError } from '@/lib/errors'
import { createFile } from '@/lib/gateway'
import { PassingForm } from '@/lib/gateway/file-form'
import { formOf } from '../support/files'
import { bytesOf, startRawFiles } from '../support/gateway-upload'
import { makeActor, openLibrary } from '../support/library'

// Uploads with an Idempotency-Key: what is written down of them, and when it counts no more.
let upstream: Awaited<ReturnType<typeof startRawFiles>>
let close: () => Promise<void>
let ada: Actor
/** The methods of all calls whose bodies were read to their end. */
const asked: string[] = []
/** Until this is settled, the server does not answer. */
let gate: Promise<void> = Promise.resolve()

beforeAll(async () => {
  upstream = await startRawFiles(async (request, response) => {
    const isWhole = await bytesOf(request).catch(() => null)
    if (!isWhole) return
    asked.push(String(request.method))
    await gate
    const file = { id: `file-${asked.length}`, object: 'file', purpose: 'batch' }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(file))
  })
  close = await openLibrary({ OPENAI_API_KEY: 'sk-test-of-once', OPENAI_BASE_URL: upstream.baseUrl })
  ada = await signIn('ada')
})
afterAll(async () => {
  await close()
  await upstream.close()
})
beforeEach(async () => {
  asked.length = 0
  await db().gatewayReplay.deleteMany()
  await db().gatewayFile.deleteMany()
})
afterEach(() => void vi.useRealTimers())

/** Someone whose session is there. */
async function signIn(name: string): Promise<Actor> {
  const actor = await makeActor(name)
  const { sessionId: id, userId } = actor
  await db().session.create({ data: { id, userId, expiresAt: new Date(Date.now() + 3_600_000) } })
  return actor
}

/** An upload with a key; `more` are headers. */
function requestOf(name: string, body: BodyInit = formOf('a', '{}\n', { purpose: 'batch' }), more = {}) {
  const headers = { 'idempotency-key': name, ...more }
  return new Request(
    'http://here/v1/files',
    Object.assign({ method: 'POST', headers, body }, { duplex: 'half' }),
  )
}

const codeOf = (doing: Promise<unknown>) =>
  doing.then(
    () => null,
    (error: AppError) => error.code,
  )
const rows = () => db().gatewayReplay.findMany()
const isReplayed = ({ headers }: Response) => headers.get('idempotent-replayed') === 'true'
const until = (check: () => unknown) => expect.poll(check, { timeout: 10_000 })
const ofForm = { 'content-type': 'multipart/form-data; boundary=x' }
const create = (name: string) => createFile(ada, requestOf(name))

/** Uploads, and does something once all is at the server, which answers after that. */
async function whileUnderWay(
  name: string,
  act: () => Promise<void>,
  signal?: AbortSignal,
): Promise<Response> {
  const opened = Promise.withResolvers<void>()
  gate = opened.promise
  const sending = createFile(ada, signal ? new Request(requestOf(name), { signal }) : requestOf(name))
  try {
    await until(() => asked).toEqual(['POST'])
    await act()
  } finally {
    opened.resolve()
  }
  return sending
}

test('what was told is kept once, with which form it was told of, and none of the form', async () => {
  const name = randomUUID()
  const told = await whileUnderWay(name, async () => {
    const [row] = await rows()
    expect(row).toMatchObject({ state: 'running', status: null, body: null, userId: ada.userId })
    expect(row?.requestHash).toHaveLength(0)
  })
  const text = await told.text()
  const [row, ...others] = await rows()
  expect(others).toEqual([])
  expect(row).toMatchObject({ state: 'kept', status: 200, leaseExpiresAt: null })
  expect(row?.requestHash).toHaveLength(32)
  expect(Buffer.from(row?.body ?? []).toString()).toBe(text)
})

test('without a key nothing is kept', async () => {
  const body = formOf('a', '{}\n', { purpose: 'batch' })
  await createFile(ada, new Request('http://here/v1/files', { method: 'POST', body }))
  expect(await rows()).toEqual([])
})

test('who waits is told so before any of the form was read', async () => {
  const name = randomUUID()
  await whileUnderWay(name, async () => {
    // Of this one nothing ever comes.
    const silent = requestOf(name, new ReadableStream({}), ofForm)
    expect(await codeOf(createFile(ada, silent))).toBe('conflict')
  })
  expect(asked).toEqual(['POST'])
})

test('who leaves once all is sent finds the file that was made; who leaves before can send it again', async () => {
  const [name, early] = [randomUUID(), randomUUID()]
  const leaving = new AbortController()
  const told = await whileUnderWay(name, async () => leaving.abort(), leaving.signal)
  const again = await create(name)
  expect([isReplayed(again), await again.text()]).toEqual([true, await told.text()])
  const left = new AbortController()
  const begun = Promise.withResolvers<void>()
  const half = new ReadableStream({
    pull: (controller) => {
      controller.enqueue(Buffer.from('--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf'))
      begun.resolve()
      return new Promise(() => undefined)
    },
  })
  const sending = codeOf(
    createFile(ada, new Request(requestOf(early, half, ofForm), { signal: left.signal })),
  )
  await begun.promise
  await until(async () => (await rows()).length).toBe(2)
  left.abort()
  expect(await sending).not.toBeNull()
  expect(await rows()).toHaveLength(1)
  expect(asked).toEqual(['POST'])
  expect((await create(early)).status).toBe(200)
})

test('a claim is held as long as its call goes on, and counts no more where its server has died', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const name = randomUUID()
  const past = new Date(Date.now() - 60_000)
  const leaseEnd = async () => (await rows())[0]?.leaseExpiresAt?.getTime() ?? 0
  await whileUnderWay(name, async () => {
    await db().gatewayReplay.updateMany({ data: { leaseExpiresAt: past } })
    vi.advanceTimersByTime(10_000)
    await until(leaseEnd).toBeGreaterThan(Date.now())
    expect(await codeOf(create(name))).toBe('conflict')
  })
  expect(vi.getTimerCount()).toBe(0)
  // As a server leaves it that has died before it could tell.
  const died = { state: 'running', requestHash: Buffer.alloc(0), status: null, body: null, nodeId: 'died' }
  await db().gatewayReplay.updateMany({ data: { ...died, leaseExpiresAt: new Date(Date.now() + 60_000) } })
  expect(await codeOf(create(name))).toBe('conflict')
  await db().gatewayReplay.updateMany({ data: { leaseExpiresAt: past } })
  const first = await create(name)
  expect([first.status, isReplayed(first)]).toEqual([200, false])
  expect(isReplayed(await create(name))).toBe(true)
  expect(asked).toEqual(['POST', 'POST'])
})

test('after a day the key is free', async () => {
  const name = randomUUID()
  const first = await (await create(name)).text()
  const hours = (count: number) => new Date(Date.now() - count * 3_600_000)
  await db().gatewayReplay.updateMany({ data: { createdAt: hours(23.9) } })
  expect(await (await create(name)).text()).toBe(first)
  await db().gatewayReplay.updateMany({ data: { createdAt: hours(24.1) } })
  const other = await create(name)
  expect(isReplayed(other)).toBe(false)
  expect(await other.text()).not.toBe(first)
})

test('what was uploaded is told also to who has room for no more files', async () => {
  const full = await signIn('full')
  const name = randomUUID()
  const first = await (await createFile(full, requestOf(name))).text()
  await db().$executeRaw`
    INSERT INTO gateway_files (id, user_id, provider, source, base_url, purpose, object)
    SELECT 'file-many-' || n || '@' || ${full.userId}, ${full.userId}::uuid, 'openai', 'user', 'http://x/v1', 'batch', '{}'
    FROM generate_series(1, 20000) AS n`
  const again = await createFile(full, requestOf(name))
  expect([isReplayed(again), await again.text()]).toEqual([true, first])
  const other = randomUUID()
  expect(await codeOf(createFile(full, requestOf(other)))).toBe('invalid_input')
  await db().gatewayFile.deleteMany({ where: { userId: full.userId } })
  expect((await createFile(full, requestOf(other))).status).toBe(200)
})

test('a file that cannot be written down frees its key', async () => {
  const name = randomUUID()
  const refuse = vi.spyOn(db().gatewayFile, 'upsert').mockRejectedValueOnce(new Error('no room'))
  expect(await codeOf(create(name))).not.toBeNull()
  refuse.mockRestore()
  expect(await rows()).toEqual([])
  expect((await create(name)).status).toBe(200)
  expect(asked).toEqual(['POST', 'DELETE', 'POST'])
})

test('a repeated form that falls silent, breaks off or has no end is given up, as a first one is', async () => {
  const readAll = (body: ReadableStream) => {
    const form = new PassingForm(requestOf('x', body, ofForm))
    return codeOf(form.openPrint().read())
  }
  const broken = new ReadableStream({
    pull: (controller) => controller.error(new Error('gone')),
  })
  expect(await readAll(broken)).toBe('invalid_input')
  const megabyte = new Uint8Array(1024 * 1024)
  let size = 0
  const endless = new ReadableStream({
    pull: (controller) => {
      size += megabyte.length
      controller.enqueue(megabyte)
    },
  })
  expect(await readAll(endless)).toBe('too_large')
  expect(size).toBeLessThan(515 * megabyte.length)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const silent = readAll(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(3)) }))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await silent).toBe('invalid_input')
})
