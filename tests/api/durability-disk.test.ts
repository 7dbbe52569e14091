import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'
import { expect, test } from 'vitest'
import { takesRoom } from '../../lib/db/space'
import { followToEnd, openTalk, send, textOf } from '../support/chat'
import { password } from '../support/client'
import { postmasterPid } from '../support/embedded'
import { startOpenAI } from '../support/openai'
import { makeOwnFolder } from '../support/own-folder'
import { startServer } from '../support/server'
import { mountSmallDisk } from '../support/small-disk'
import { until } from '../support/until'

const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n} `)

/** Enough for a cluster, its reserve, and some megabytes more. */
const megabytes = 320

test('while the disk is full, writing is refused, reading goes on, and answers wait for room', async () => {
  const folder = makeOwnFolder('disk')
  const disk = mountSmallDisk(join(folder.path, 'small'), megabytes)
  // Where this user may not mount one, only the decision can be looked at.
  if (!disk) {
    folder.remove()
    return expect([takesRoom('Project', 'create'), takesRoom('Project', 'delete')]).toEqual([true, false])
  }
  const openai = await startOpenAI()
  const dataDir = join(disk.path, 'data')
  const server = await startServer({
    DATABASE_URL: '',
    DATA_DIR: dataDir,
    OPENAI_API_KEY: 'sk-test-of-disks',
    OPENAI_BASE_URL: openai.baseUrl,
  })
  try {
    const talk = await openTalk(server.url)
    const other = await openTalk(server.url)
    const reserve = join(dataDir, 'postgres/reserve')
    await until(() => expect(existsSync(reserve)).toBe(true))
    const postmaster = postmasterPid(dataDir)
    openai.script({ text: words(200), delayMs: 20 })
    const { reply } = await send(talk, 'go on')
    disk.fill()

    const path = `/api/conversations/${other.conversationId}/messages`
    const message = { id: newId(), parent_id: null, text: 'hello' }
    await until(async () => {
      const { status, body } = await other.user.post('/api/projects', { name: 'One more' })
      expect([status, body.error?.code]).toEqual([507, 'storage_full'])
    })
    const refused = await other.user.post(path, message)
    expect([refused.status, refused.body.error?.code]).toEqual([507, 'storage_full'])
    expect((await other.user.get(`/api/conversations/${other.conversationId}`)).status).toBe(200)
    // Who is not signed in can sign in, and make room.
    const login = await other.user.post('/api/auth/login', { email: other.user.email, password })
    expect(login.status).toBe(200)
    const unwanted = `/api/agents/${other.agentId}`
    expect((await other.user.delete(unwanted)).status).toBe(204)
    const { body: health } = await other.user.get('/api/health')
    expect([health.checks?.database?.status, health.checks?.storage?.status]).toEqual(['healthy', 'degraded'])
    expect(existsSync(reserve)).toBe(false)

    disk.empty()
    const events = await followToEnd(talk.user, reply.events_url)
    expect(events.at(-1)?.type).toBe('completed')
    expect(textOf(events)).toBe(words(200).join(''))
    await until(async () => {
      expect((await other.user.post('/api/projects', { name: 'One more' })).status).toBe(201)
    })
    // Postgres never had to end.
    expect(postmasterPid(dataDir)).toBe(postmaster)
    expect(readFileSync(join(dataDir, 'postgres/postgres.log'), 'utf8')).not.toContain('PANIC')
    await until(() => expect(existsSync(reserve)).toBe(true))
  } finally {
    disk.empty()
    await server.close()
    await openai.close()
    disk.remove()
    folder.remove()
  }
})
