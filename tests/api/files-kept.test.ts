import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, signUp } from '../support/client'
import { upload, uploadStream } from '../support/files'
import { startServer, type TestServer } from '../support/server'

const megabyte = 1024 * 1024
let server: TestServer

beforeAll(async () => {
  server = await startServer({ FILE_QUOTA_MB: '2' })
})
afterAll(() => server.close())

const stored = () => readdirSync(join(server.dataDir, 'files')).sort()
const begun = () => stored().filter((name) => name.endsWith('.part'))

test('nobody keeps more than the quota, not by uploading side by side either, and others are not held up', async () => {
  const ann = await signUp(server.url, 'ann')
  const answers = await Promise.all(Array.from({ length: 5 }, () => uploadStream(ann, { bytes: 900 * 1024 })))
  expect(answers.map((answer) => answer?.status).sort()).toEqual([201, 201, 507, 507, 507])
  expect(stored()).toHaveLength(2)
  const refused = await upload(ann, 'more.txt', 'a'.repeat(megabyte))
  expect(refused.body.error).toMatchObject({ code: 'storage_full', facts: { quota_bytes: 2 * megabyte } })
  const bob = await signUp(server.url, 'bob')
  expect((await upload(bob, 'mine.txt', 'a')).status).toBe(201)
  const items = (await ann.get('/api/files')).body.items as unknown as { id: string }[]
  expect((await ann.delete(`/api/files/${items[0]?.id}`)).status).toBe(204)
  expect((await upload(ann, 'more.txt', 'a'.repeat(megabyte))).status).toBe(201)
})

/** Begins an upload and sends no more of it; returns how to hang up. */
function beginUpload({ url, token }: Client): () => void {
  const call = request(`${url}/api/files/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=x' },
  })
  call.on('error', () => {})
  call.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nabc')
  return () => call.destroy()
}

test('a seventh upload of one person at a time is put off, until one of them ends', async () => {
  const carl = await signUp(server.url, 'carl')
  const dave = await signUp(server.url, 'dave')
  const statusOf = async () => (await upload(carl, 'small.txt', 'a')).status
  const hangUps = Array.from({ length: 6 }, () => beginUpload(carl))
  // One that is asked meanwhile would be one of the six.
  await expect.poll(() => begun().length, { timeout: 10_000 }).toBe(6)
  await expect.poll(statusOf, { timeout: 10_000 }).toBe(429)
  expect((await upload(dave, 'small.txt', 'a')).status).toBe(201)
  for (const hangUp of hangUps) hangUp()
  await expect.poll(statusOf, { timeout: 10_000 }).toBe(201)
  await expect.poll(begun).toEqual([])
})

test('what a crash has left without a row is gone after the next start; what has one is there', async () => {
  const dora = await signUp(server.url, 'dora')
  const { body } = await upload(dora, 'kept.txt', 'kept')
  const folder = join(server.dataDir, 'files')
  const strays = ['01939e2a-0000-7000-8000-000000000001', '01939e2a-0000-7000-8000-000000000002.part']
  const longAgo = new Date(Date.now() - 3_600_000)
  for (const name of [...strays, 'not-ours.txt']) {
    writeFileSync(join(folder, name), 'stray')
    utimesSync(join(folder, name), longAgo, longAgo)
  }
  writeFileSync(join(folder, '01939e2a-0000-7000-8000-000000000003.part'), 'on its way')
  utimesSync(join(folder, String(body.id)), longAgo, longAgo)
  await server.kill()
  server = await server.restart()
  for (const name of strays) expect(stored()).not.toContain(name)
  expect(stored()).toContain('not-ours.txt')
  expect(stored()).toContain('01939e2a-0000-7000-8000-000000000003.part')
  const again = new Client(server.url, dora.token)
  expect((await again.get(`/api/files/${body.id}/content`)).text).toBe('kept')
})
