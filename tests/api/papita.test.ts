import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ResolutionStep } from '../../lib/contracts/credentials'
import { follow, followToEnd, lastMessage, openTalk, send, type Talk, textOf } from '../support/chat'
import { Client, type Json } from '../support/client'
import { urlOfEmbedded } from '../support/crash/evidence'
import { queryOnce } from '../support/embedded'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { askedAbout, type PapitaFault, type PapitaServer, startPapita } from '../support/papita'
import { startServer, type TestServer } from '../support/server'
import { until } from '../support/until'

/*
 * An outside Papita, over real HTTP on both sides: where it has a key, that one answers; whatever else it does, the
 * next key does, and everybody is told.
 */

const token = 'papita-token-of-the-tests-5151'
const environmentKey = 'sk-test-environment-0e0e'
/** Known to Papita alone; must be nowhere but in the calls to the model server. */
const canary = 'sk-test-canary-of-papita-7a7a'

let papita: PapitaServer
let openai: OpenAIServer
let trap: Server
let trapped: string[]
let server: TestServer

beforeAll(async () => {
  papita = await startPapita({ token })
  openai = await startOpenAI()
  trap = createServer((request, response) => {
    trapped.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
    response.end('{}')
  })
  await new Promise<void>((done) => trap.listen(0, '127.0.0.1', done))
  const proxy = trapUrl()
  server = await startServer({
    DATABASE_URL: '',
    PAPITA_API_URL: papita.url,
    PAPITA_API_TOKEN: token,
    OPENAI_API_KEY: environmentKey,
    OPENAI_BASE_URL: openai.baseUrl,
    // What would send every call by way of the trap.
    NODE_USE_ENV_PROXY: '1',
    ...{ HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: '' },
  })
})
afterAll(async () => {
  await server.close()
  await openai.close()
  await papita.close()
  await new Promise((done) => trap.close(done))
})
beforeEach(() => {
  openai.reset()
  papita.play('normal')
  papita.users.clear()
  papita.global.key = null
  papita.journal.length = 0
  trapped = []
})

const trapUrl = () => `http://127.0.0.1:${(trap.address() as AddressInfo).port}`

/** The keys that the model server was asked with. */
const keysUsed = () =>
  openai.journal
    .filter(({ path }) => path === '/v1/responses')
    .map(({ headers }) => headers.authorization?.replace('Bearer ', ''))

/** A whole chat: asked, answered, stored. */
async function chat(talk: Talk): Promise<void> {
  const { reply } = await send(talk, 'Hello')
  const events = await followToEnd(talk.user, reply.events_url)
  expect(events.at(-1)).toMatchObject({ type: 'completed' })
  expect((await lastMessage(talk)).text).not.toBe('')
}

type Steps = Record<ResolutionStep['source'], ResolutionStep>

async function steps({ user, agentId }: Talk): Promise<Steps> {
  const { status, body } = await user.get(`/api/agents/${agentId}/credential`)
  expect(status).toBe(200)
  const told = body.steps as unknown as ResolutionStep[]
  return Object.fromEntries(told.map((step) => [step.source, step])) as Steps
}

const health = async (): Promise<Json> =>
  (await new Client(server.url).get('/api/health')).body.checks?.papita ?? {}

test("a key of Papita's answers, is counted as such, and is told of by its ending alone", async () => {
  const talk = await openTalk(server.url)
  papita.users.set(talk.user.email, canary)
  await chat(talk)
  expect(keysUsed()).toEqual([canary])
  expect(papita.journal[0]).toMatchObject({ username: talk.user.email, authorization: `Bearer ${token}` })
  const { body } = await talk.user.get('/api/openai/info')
  expect(body).toMatchObject({ configured: true, source: 'papita', key_last4: '7a7a' })
  expect((await steps(talk)).papita_user).toMatchObject({
    status: 'serves',
    detail: 'OpenAI key ending 7a7a',
  })
  const counted = 'SELECT key_source FROM usage_entries WHERE user_id = $1'
  await expect
    .poll(() => queryOnce(urlOfEmbedded(server.dataDir), counted, [talk.user.userId]))
    .toEqual([{ key_source: 'papita' }])
})

test('what Papita has for everyone answers those who have nothing of their own', async () => {
  papita.global.key = canary
  // What was held of an earlier answer ends with the next change in the vault.
  const talk = await openTalk(server.url)
  await forgetHeld(talk)
  await chat(talk)
  expect(keysUsed()).toEqual([canary])
  await forgetHeld(talk)
})

/** Any change in the vault has the server forget what it holds of keys. */
async function forgetHeld({ user }: Talk): Promise<void> {
  const key = { credentialType: 'openai', credentials: { api_key: 'sk-test-soon-gone' } }
  const { body } = await user.post('/api/credentials', key)
  expect((await user.delete(`/api/credentials/${body.id}`)).status).toBe(204)
}

test('a key that its provider refuses is asked for anew, and the answer says whose it is', async () => {
  const talk = await openTalk(server.url)
  papita.users.set(talk.user.email, 'not-a-key-of-the-tests-9999')
  const { reply } = await send(talk, 'Hello')
  const events = await followToEnd(talk.user, reply.events_url)
  expect(events.at(-1)).toMatchObject({
    type: 'failed',
    data: { error: { code: 'provider_auth', remedy: 'vault' } },
  })
  expect(JSON.stringify(events)).toMatch(/ending 9999 that Papita has. Replace it there/)
  expect(JSON.stringify(events)).not.toMatch(/not-a-key/)
  papita.users.set(talk.user.email, canary)
  const again = await openTalkOf(talk)
  await chat(again)
  expect(keysUsed().at(-1)).toBe(canary)
})

/** Another conversation with the same agent. */
async function openTalkOf(talk: Talk): Promise<Talk> {
  const { body } = await talk.user.post(`/api/agents/${talk.agentId}/conversations`, {})
  return { ...talk, conversationId: String(body.conversation?.id) }
}

const quick: [string, PapitaFault | (() => PapitaFault), RegExp][] = [
  ['401', { status: 401 }, /does not accept PAPITA_API_TOKEN/],
  ['403', { status: 403 }, /does not allow/],
  ['500', { status: 500 }, /status 500/],
  ['a page with 200', 'html', /not JSON/],
  ['no success', { body: { success: false, error: canary } }, /could not look/],
  ['a wrong shape', { body: { success: true, credentials: { api_key: canary } } }, /in a form/],
  [
    'a key with a line break',
    { body: { success: true, credentials: { credentials: { api_key: `${canary}\r\nx: y` } } } },
    /is no key/,
  ],
  [
    'a key for another host',
    {
      body: {
        success: true,
        credentials: { baseUrl: 'https://evil.example', credentials: { api_key: canary } },
      },
    },
    /another address/,
  ],
  ['a giant', 'giant', /more than 64 KB/],
  ['a bomb', 'gzip_bomb', /compressed/],
  ['a redirect', () => ({ redirect: `${trapUrl()}/api/credentials` }), /not followed/],
]

describe('whatever Papita answers, the chat is answered with the next key, and everybody is told', () => {
  test.each(quick)('%s', async (_name, fault, words) => {
    papita.play(typeof fault === 'function' ? fault() : fault)
    const talk = await openTalk(server.url)
    await chat(talk)
    expect(keysUsed()).toEqual([environmentKey])
    const told = await steps(talk)
    expect(told.papita_user).toMatchObject({ status: 'failed', detail: expect.stringMatching(words) })
    expect(told.environment.status).toBe('serves')
    await expect.poll(health, { timeout: 10_000 }).toMatchObject({ status: 'degraded' })
    expect(trapped).toEqual([])
  })

  test('a 404 is no fault', async () => {
    papita.play({ status: 404 })
    const talk = await openTalk(server.url)
    await chat(talk)
    expect(keysUsed()).toEqual([environmentKey])
    expect((await steps(talk)).papita_user.status).toBe('empty')
  })

  test('a slow answer', async () => {
    papita.play({ delayMs: 1500 })
    const talk = await openTalk(server.url)
    papita.users.set(talk.user.email, canary)
    await chat(talk)
    expect(keysUsed()).toEqual([canary])
  })
})

describe('while Papita is silent', () => {
  const silences: [string, () => void | Promise<void>][] = [
    ['hangs before a word', () => papita.play('hang')],
    ['hangs in mid-body', () => papita.play('hang_in_body')],
    ['breaks off', () => papita.play('reset')],
    ['is not there', () => papita.refuse()],
  ]
  test.each(silences)(
    'it %s: twenty chats at once are answered, it is asked once, and heard again',
    async (_name, begin) => {
      const talk = await openTalk(server.url)
      const talks = await Promise.all(Array.from({ length: 20 }, () => openTalkOf(talk)))
      await begin()
      try {
        await Promise.all(talks.map(chat))
        expect(keysUsed()).toEqual(Array(20).fill(environmentKey))
        expect(askedAbout(papita).filter((about) => about !== 'health').length).toBeLessThanOrEqual(1)
        await chat(await openTalkOf(talk))
        expect((await steps(talk)).papita_user).toMatchObject({ status: 'failed' })
        await expect
          .poll(health, { timeout: 10_000 })
          .toMatchObject({ status: expect.stringMatching(/down|degraded/) })
      } finally {
        await papita.refuse()
        await papita.listen()
      }
      papita.play('normal')
      papita.users.set(talk.user.email, canary)
      await expect
        .poll(async () => (await steps(talk)).papita_user.status, { timeout: 20_000 })
        .toBe('serves')
      await chat(await openTalkOf(talk))
      expect(keysUsed().at(-1)).toBe(canary)
      await expect.poll(health, { timeout: 20_000 }).toMatchObject({ status: 'healthy' })
    },
  )
})

test('an answer that a crash broke off is picked up with the same key of Papita', async () => {
  const talk = await openTalk(server.url, { background: true })
  papita.users.set(talk.user.email, canary)
  const words = Array.from({ length: 60 }, (_, n) => `word${n} `)
  openai.script({ text: words, delayMs: 50 })
  const { reply } = await send(talk, 'go on, whatever happens')
  for await (const event of follow(talk.user, reply.events_url)) if (event.type === 'text') break
  await server.kill()
  server = await server.restart()
  const user = Object.assign(new Client(server.url, talk.user.token), {
    email: talk.user.email,
    userId: talk.user.userId,
  })
  const events = await followToEnd(user, reply.events_url)
  expect(events.at(-1)?.type).toBe('completed')
  expect(textOf(events)).toBe(words.join(''))
  expect(new Set(openai.journal.map(({ headers }) => headers.authorization))).toEqual(
    new Set([`Bearer ${canary}`]),
  )
})

test('neither keys of Papita nor its token are in the log, in a page or in an answer', async () => {
  const talk = await openTalk(server.url)
  papita.users.set(talk.user.email, canary)
  await chat(talk)
  const pages = ['/vault', `/vault?agent=${talk.agentId}`, '/dashboard', `/chat/${talk.agentId}`]
  const calls = [
    '/api/health',
    '/api/openai/info',
    `/api/agents/${talk.agentId}/credential`,
    '/api/credentials',
  ]
  for (const path of [...pages, ...calls]) {
    const { status, text, headers } = await new Client(server.url).call('GET', path, {
      headers: { cookie: `al_session=${talk.user.token}`, authorization: `Bearer ${talk.user.token}` },
    })
    expect(status, path).toBe(200)
    expect(text + JSON.stringify([...headers]), path).not.toMatch(new RegExp(`${canary}|${token}`))
  }
  await until(() => expect(server.output()).not.toBe(''))
  expect(server.output()).not.toMatch(new RegExp(`${canary}|${token}`))
  expect(trapped).toEqual([])
})
