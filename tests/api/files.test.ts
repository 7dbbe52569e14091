import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signUp } from '../support/client'
import { pixel, upload, uploadStream } from '../support/files'
import { startServer, type TestServer } from '../support/server'

const megabyte = 1024 * 1024
const limit = 50 * megabyte

let server: TestServer
let ann: Awaited<ReturnType<typeof signUp>>
let bob: Awaited<ReturnType<typeof signUp>>

beforeAll(async () => {
  server = await startServer()
  ann = await signUp(server.url, 'ann')
  bob = await signUp(server.url, 'bob')
})
afterAll(() => server.close())

const folder = () => join(server.dataDir, 'files')
const stored = () => readdirSync(folder()).sort()
const until = (check: () => void) => expect.poll(check, { timeout: 10_000 })

/** Resident memory of the server in bytes. */
function residentBytes(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

async function expectUploaded(call: ReturnType<typeof upload>): Promise<string> {
  const { status, body, text } = await call
  expect(status, text).toBe(201)
  return String(body.id)
}

describe('an upload', () => {
  test('is answered with what was kept, and comes back byte for byte', async () => {
    const { status, body } = await upload(ann, 'notes.md', '# Notes\n\nGrüße', { purpose: 'assistants' })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      filename: 'notes.md',
      bytes: 16,
      purpose: 'assistants',
      mime_type: 'text/markdown',
    })
    expect(body.file_id).toBe(body.id)
    expect(Date.parse(String(body.created_at))).toBeGreaterThan(Date.now() - 60_000)
    const content = await ann.get(`/api/files/${body.id}/content`)
    expect(content.text).toBe('# Notes\n\nGrüße')
    expect(content.headers.get('content-disposition')).toContain('attachment; filename="notes.md"')
  })

  test('lies in a folder and a file that only the server may read, under a name of ours', async () => {
    const id = await expectUploaded(upload(ann, '../../etc/passwd', 'root'))
    expect(stored()).toContain(id)
    expect(statSync(folder()).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder(), id)).mode & 0o777).toBe(0o600)
    expect((await ann.get(`/api/files/${id}`)).body.filename).toBe('passwd')
  })

  test.each([
    ['picture.txt', pixel, 'image/png'],
    ['photo.png', Buffer.from('%PDF-1.7\n%\xe2\xe3', 'latin1'), 'application/pdf'],
    ['page.html', '<script>alert(1)</script>', 'text/plain'],
    ['drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'text/plain'],
    ['holiday.jpg', 'just words', 'text/plain'],
  ])('of %s is known by its content', async (name, content, type) => {
    const { body } = await upload(ann, name, content)
    expect(body.mime_type).toBe(type)
    const { headers } = await ann.get(`/api/files/${body.id}/content`)
    expect(headers.get('content-type')).toContain(type)
    expect(headers.get('content-disposition')).toMatch(type === 'image/png' ? /^inline/ : /^attachment/)
    expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toContain('private')
  })

  test.each([
    ['program.txt', Buffer.from('7f454c4602010100', 'hex')],
    ['letter.docx', Buffer.from('504b030414000600', 'hex')],
    ['latin1.txt', Buffer.from('Gr\xfc\xdfe', 'latin1')],
    ['nul.txt', Buffer.from('a\0b')],
  ])('of %s, which no model can use, is refused with what can be', async (name, content) => {
    const before = stored()
    const { status, body } = await upload(ann, name, content)
    expect(status).toBe(415)
    expect(body.error?.code).toBe('unsupported_media_type')
    expect(body.error?.facts?.accepted).toContain('image/png')
    expect(stored()).toEqual(before)
  })

  test('that is empty, has no file, two files, or a field that nobody knows is refused, and leaves nothing', async () => {
    const before = stored()
    expect((await upload(ann, 'empty.txt', '')).status).toBe(400)
    const none = new FormData()
    none.set('purpose', 'vision')
    const two = new FormData()
    two.append('file', new File(['a'], 'a.txt'))
    two.append('file', new File(['b'], 'b.txt'))
    const misnamed = new FormData()
    misnamed.set('upload', new File(['a'], 'a.txt'))
    for (const body of [none, two, misnamed]) {
      const { status, text } = await ann.call('POST', '/api/files/upload', { body })
      expect(status, text).toBe(400)
    }
    const faulty: Record<string, string>[] = [
      { colour: 'red' },
      { purpose: 'fun' },
      { project_id: 'x' },
      { agent_id: 'y'.repeat(2000) },
    ]
    for (const fields of faulty) expect((await upload(ann, 'a.txt', 'a', fields)).status).toBe(400)
    expect((await ann.post('/api/files/upload', { file: 'a' })).status).toBe(415)
    const cut = { 'content-type': 'multipart/form-data; boundary=x' }
    for (const rawBody of [
      '',
      '--x',
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    ])
      expect((await ann.call('POST', '/api/files/upload', { rawBody, headers: cut })).status).toBe(400)
    expect(stored()).toEqual(before)
  })
})

describe('a large upload', () => {
  test('of exactly 50 MB is taken, with and without a length said beforehand', async () => {
    for (const declares of [true, false]) {
      const answer = await uploadStream(ann, { bytes: limit, declares })
      expect(answer?.status, answer?.text).toBe(201)
      const { id } = JSON.parse(answer?.text ?? '{}')
      expect(statSync(join(folder(), id)).size).toBe(limit)
      expect((await ann.delete(`/api/files/${id}`)).status).toBe(204)
    }
  })

  test.each([true, false])(
    'of one byte more is refused and leaves nothing (length said: %s)',
    async (declares) => {
      const before = stored()
      const answer = await uploadStream(ann, { bytes: limit + 1, declares })
      expect(answer?.status, answer?.text).toBe(413)
      expect(JSON.parse(answer?.text ?? '{}').error.code).toBe('too_large')
      expect(stored()).toEqual(before)
    },
  )

  test('of far more is refused, and its sender gets to read that', async () => {
    const before = stored()
    const answer = await uploadStream(ann, { bytes: 100 * megabyte, declares: true })
    expect(answer?.status).toBe(413)
    expect(stored()).toEqual(before)
  })

  test('whose sender hangs up leaves nothing, and the server goes on', async () => {
    const before = stored()
    expect(await uploadStream(ann, { bytes: limit, hangUpAfter: 5 * megabyte })).toBeNull()
    await until(stored).toEqual(before)
    await expectUploaded(upload(ann, 'after.txt', 'still here'))
  })

  test('does not lie in memory: six at once take far less than they are', async () => {
    await uploadStream(ann, { bytes: 20 * megabyte })
    const before = residentBytes()
    let peak = before
    const watch = setInterval(() => {
      peak = Math.max(peak, residentBytes())
    }, 20)
    const answers = await Promise.all(Array.from({ length: 6 }, () => uploadStream(ann, { bytes: limit })))
    clearInterval(watch)
    expect(answers.map((answer) => answer?.status)).toEqual([201, 201, 201, 201, 201, 201])
    console.info(`memory: ${before / megabyte} MB before, ${peak / megabyte} MB at most`)
    // All of them together are 300 MB; what is read is garbage soon after.
    expect(peak - before).toBeLessThan(150 * megabyte)
  })
})

describe('a file', () => {
  test('is nobody else’s: not its record, not its content, not to delete, and in no list', async () => {
    const id = await expectUploaded(upload(ann, 'private.txt', 'mine'))
    for (const path of [`/api/files/${id}`, `/api/files/${id}/content`])
      expect((await bob.get(path)).status).toBe(404)
    expect((await bob.delete(`/api/files/${id}`)).status).toBe(404)
    expect((await bob.get('/api/files')).body.items).toEqual([])
    expect((await ann.get(`/api/files/${id}`)).status).toBe(200)
  })

  test('of a project is read by its members, and deleted by who brought it', async () => {
    const { body: project } = await ann.post('/api/projects', { name: 'Shared' })
    await ann.post(`/api/projects/${project.id}/members`, { user_id: bob.userId, role: 'viewer' })
    const id = await expectUploaded(upload(ann, 'shared.txt', 'ours', { project_id: String(project.id) }))
    expect((await bob.get(`/api/files/${id}/content`)).text).toBe('ours')
    expect((await bob.get(`/api/files?project_id=${project.id}`)).body.items).toMatchObject([{ id }])
    expect((await bob.delete(`/api/files/${id}`)).status).toBe(403)
    expect((await upload(bob, 'a.txt', 'a', { project_id: String(project.id) })).status).toBe(403)
    await ann.delete(`/api/projects/${project.id}/members/${bob.userId}`)
    expect((await bob.get(`/api/files/${id}`)).status).toBe(404)
    expect((await upload(bob, 'a.txt', 'a', { project_id: String(project.id) })).status).toBe(404)
  })

  test('that was uploaded for an agent stays private', async () => {
    const { body: project } = await ann.post('/api/projects', { name: 'Shared' })
    await ann.post(`/api/projects/${project.id}/members`, { user_id: bob.userId, role: 'owner' })
    const { body: agent } = await ann.post(`/api/projects/${project.id}/agents`, { name: 'Agent' })
    const id = await expectUploaded(upload(ann, 'mine.txt', 'mine', { agent_id: String(agent.id) }))
    expect((await ann.get(`/api/files/${id}`)).body.project_id).toBe(project.id)
    expect((await bob.get(`/api/files/${id}`)).status).toBe(404)
  })

  test('is listed newest first, page by page', async () => {
    const carl = await signUp(server.url, 'carl')
    const ids: string[] = []
    for (const name of ['1.txt', '2.txt', '3.txt'])
      ids.unshift(await expectUploaded(upload(carl, name, name)))
    const first = (await carl.get('/api/files?limit=2')).body
    const second = (await carl.get(`/api/files?limit=2&cursor=${first.next_cursor}`)).body
    const listed = [first, second].flatMap(({ items }) =>
      (items as unknown as { id: string }[]).map(({ id }) => id),
    )
    expect(listed).toEqual(ids)
    expect(second.next_cursor).toBeNull()
  })

  test('that is deleted is gone from the disk, too', async () => {
    const id = await expectUploaded(upload(ann, 'gone.txt', 'gone'))
    expect((await ann.delete(`/api/files/${id}`)).status).toBe(204)
    expect((await ann.get(`/api/files/${id}/content`)).status).toBe(404)
    expect(stored()).not.toContain(id)
  })
})
