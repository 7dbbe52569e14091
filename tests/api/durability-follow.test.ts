import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { follow, followToEnd, openTalk, send, type Talk } from '../support/chat'
import { Client, password, signUp } from '../support/client'
import { type OpenAIServer, startOpenAI } from '../support/openai'
import { startServer, type TestServer } from '../support/server'
import { until } from '../support/until'

/*
 * Who follows an answer over real HTTP: from where, in how many places, and for how long.
 */

let openai: OpenAIServer
let server: TestServer
/** What comes of an answer that has nothing to say for a while; begun first, since that takes its time. */
let silence: Promise<string>

beforeAll(async () => {
  openai = await startOpenAI()
  server = await startServer({ OPENAI_API_KEY: 'sk-test-of-followers', OPENAI_BASE_URL: openai.baseUrl })
  silence = listenToSilence()
  // Until upstream has it, so that no test's script is taken for it.
  await until(() => expect(openai.journal).toHaveLength(1))
})
afterAll(async () => {
  await server.close()
  await openai.close()
})
beforeEach(() => openai.reset())

async function listenToSilence(): Promise<string> {
  const talk = await openTalk(server.url)
  openai.script({ match: { input: 'think on and on' }, text: 'at last', firstByteDelayMs: 60_000 })
  const { reply } = await send(talk, 'think on and on')
  const headers = { authorization: `Bearer ${talk.user.token}` }
  const answer = await fetch(server.url + reply.events_url, { headers })
  let heard = ''
  for await (const bytes of answer.body ?? []) {
    heard += Buffer.from(bytes).toString()
    if (heard.split('\n\n').length > 2) break
  }
  await talk.user.delete(`/api/replies/${reply.id}`)
  return heard
}

const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n} `)

describe('who follows', () => {
  /** The ids and types that come to one who asks with these headers and this query. */
  async function ask({ url, token }: Client, path: string, lastEventId?: string) {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    }
    const answer = await fetch(url + path, { headers })
    expect(answer.status).toBe(200)
    const ids = (await answer.text()).match(/^id: \d+$/gm) ?? []
    return ids.map((line) => Number(line.slice(4)))
  }

  test('and says where, by the header of a reconnecting browser before the address it first came by', async () => {
    const talk = await openTalk(server.url)
    openai.script({ text: words(40), delayMs: 15 })
    const { reply } = await send(talk, 'count')
    const all = (await followToEnd(talk.user, reply.events_url)).map(({ id }) => id)
    expect(all.length).toBeGreaterThan(5)
    const from = (query: string, header?: string) => ask(talk.user, reply.events_url + query, header)
    expect(await from('?after=3')).toEqual(all.slice(4))
    expect(await from('', '3')).toEqual(all.slice(4))
    expect(await from('?after=1', '3')).toEqual(all.slice(4))
    expect(await from('?after=3', '1')).toEqual(all.slice(2))
    // What no stream of ours has given counts for nothing.
    for (const header of ['', 'abc', '-1', '1.5', '0x3', '9'.repeat(30)])
      expect(await from('?after=3', header), header).toEqual(all.slice(4))
    expect(await from('', 'abc')).toEqual(all)
  })

  test('hears exactly one end, whenever it comes', async () => {
    const talk = await openTalk(server.url)
    openai.script({ text: words(30), delayMs: 15 })
    const { reply } = await send(talk, 'end once')
    const early = Array.from({ length: 5 }, (_, n) => followToEnd(talk.user, reply.events_url, n - 1))
    const seen = await Promise.all(early)
    const late = await Promise.all(
      [undefined, 0, (seen[0]?.length ?? 0) - 2].map((after) =>
        followToEnd(talk.user, reply.events_url, after),
      ),
    )
    for (const events of [...seen, ...late]) {
      const ends = events.filter(({ type }) => type !== 'text')
      expect(ends.map(({ type }) => type)).toEqual(['completed'])
      expect(events.at(-1)).toEqual(seen[0]?.at(-1))
    }
  })

  test('in ten places is one too many in the eleventh, until one is left', async () => {
    const talk = await openTalk(server.url)
    openai.script({ text: words(400), delayMs: 30 })
    const { reply } = await send(talk, 'a crowd')
    // More than may, all at once: nobody slips in while the others are looked at.
    const crowd = await Promise.all(Array.from({ length: 16 }, () => Seat.take(talk.user, reply.events_url)))
    await until(() => expect(crowd.filter((seat) => seat.isLive)).toHaveLength(10))
    const eleventh = await talk.user.get(reply.events_url)
    expect([eleventh.status, eleventh.body.error?.code]).toEqual([429, 'too_many_requests'])
    expect(Number(eleventh.headers.get('retry-after'))).toBeGreaterThan(0)
    crowd.find((seat) => seat.isLive)?.leave()
    await until(async () => {
      const seat = await Seat.take(talk.user, reply.events_url)
      crowd.push(seat)
      expect(seat.isLive).toBe(true)
    })
    await talk.user.delete(`/api/replies/${reply.id}`)
    for (const seat of crowd) seat.leave()
  })

  const endings: [string, (talk: Talk) => Promise<unknown>][] = [
    [
      'the password is changed elsewhere',
      async ({ user }) => {
        const login = await user.post('/api/auth/login', { email: user.email, password })
        const elsewhere = new Client(user.url, String(login.body.token))
        const change = { current: password, next: 'another horse battery' }
        expect((await elsewhere.post('/api/auth/password', change)).status).toBe(204)
      },
    ],
    [
      'the session is ended from another device',
      async ({ user }) => {
        const sessions = await user.get('/api/auth/sessions')
        const [mine] = sessions.body.items as unknown as { id: string; current: boolean }[]
        expect(mine?.current).toBe(true)
        expect((await user.delete(`/api/auth/sessions/${mine?.id}`)).status).toBe(204)
      },
    ],
    [
      'the agent is deleted',
      async ({ user, agentId }) => expect((await user.delete(`/api/agents/${agentId}`)).status).toBe(204),
    ],
  ]

  test.each(endings)('hears no more when %s', async (_, end) => {
    const talk = await openTalk(server.url)
    openai.script({ text: words(400), delayMs: 25 })
    const { reply } = await send(talk, 'stream on')
    const seen: string[] = []
    for await (const { type } of follow(talk.user, reply.events_url)) {
      seen.push(type)
      if (seen.length === 1) await end(talk)
    }
    expect(seen).not.toContain('completed')
    // Far from all that would have come within these 10 s.
    expect(seen.length).toBeLessThan(200)
  })

  test('hears within 20 s that the line still holds', async () => {
    expect(await silence).toBe(': open\n\n: still here\n\n')
  })

  test('what is not theirs finds nothing, and the owner reads on', async () => {
    const talk = await openTalk(server.url)
    openai.script({ text: words(40), delayMs: 20 })
    const { reply } = await send(talk, 'private')
    const stranger = await signUp(server.url)
    for (const path of [reply.events_url, `${reply.events_url}?after=0`]) {
      const { status, body } = await stranger.get(path)
      expect([status, body.error?.code]).toEqual([404, 'not_found'])
    }
    expect((await stranger.delete(`/api/replies/${reply.id}`)).status).toBe(404)
    expect((await followToEnd(talk.user, reply.events_url)).at(-1)?.type).toBe('completed')
  })
})

/** One place from where an answer is followed. */
class Seat {
  isLive = false
  private readonly gone = new AbortController()

  static async take(user: Client, eventsUrl: string): Promise<Seat> {
    const seat = new Seat()
    await seat.follow(user, eventsUrl)
    return seat
  }

  private async follow({ url, token }: Client, eventsUrl: string): Promise<void> {
    const { signal } = this.gone
    const answer = await fetch(url + eventsUrl, { headers: { authorization: `Bearer ${token}` }, signal })
    if (answer.status !== 200) return
    this.isLive = true
    void this.read(answer)
  }

  private async read(answer: Response): Promise<void> {
    try {
      for await (const _ of answer.body ?? []);
    } catch {
      // Left, by this side.
    }
    this.isLive = false
  }

  leave(): void {
    this.isLive = false
    this.gone.abort()
  }
}
