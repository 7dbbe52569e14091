import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createLiveText } from '@/components/chat/live-text'
import { createEventStreamParser } from '@/components/live/event-stream'
import { Hub } from '@/components/live/hub'
import type { HubMessage, LinkState, News, ReplyFrame, TabMessage } from '@/components/live/protocol'
import { maxSilentPings, pingEveryMs } from '@/components/live/protocol'
import { retryDelayMs, type UpstreamTimings } from '@/components/live/upstream'
import { until } from '../support/until'

const event = (type: string, data: unknown): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
const hello = event('hello', { user_id: 'me' })
const text = (seq: number, word: string, reply_id = 'r'): string =>
  event('reply', { reply_id, seq, type: 'text', data: { text: word } })
const end = (seq: number, type = 'completed', reply_id = 'r'): string =>
  event('reply', { reply_id, seq, type, data: { message: { id: 'a1', status: type, text: 'all' } } })

type Stream = { body: ReadableStream<Uint8Array>; say(text: string): void; abort(): void }

/** A body that stays open. */
function openStream(): Stream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
  })
  const encoder = new TextEncoder()
  return {
    body,
    say: (said) => controller?.enqueue(encoder.encode(said)),
    abort: () => controller?.error(new Error('aborted')),
  }
}

/** A body of these bytes, one at a time, so that every character is cut somewhere; then the end, or a reset. */
function streamOf(said: string, { cut = false } = {}): Response {
  const bytes = new TextEncoder().encode(said)
  let next = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const byte = bytes[next]
      next += 1
      if (byte !== undefined) controller.enqueue(Uint8Array.of(byte))
      else if (cut) controller.error(new Error('reset'))
      else controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

type Call = { asked: string; signal: AbortSignal }
type Answer = Response | Stream | 'refused' | 'never'

/** A server that gives these answers one after another, and then none any more. */
function serve(answers: Answer[]) {
  const calls: Call[] = []
  const fetchEvents: typeof fetch = async (address, init) => {
    const asked = new URL(String(address), 'http://x').searchParams.get('replies') ?? ''
    const signal = init?.signal ?? new AbortController().signal
    calls.push({ asked, signal })
    const answer = answers.shift() ?? 'never'
    if (answer === 'refused') throw new TypeError('refused')
    if (answer instanceof Response) return answer
    if (answer !== 'never') {
      signal.addEventListener('abort', () => answer.abort())
      return new Response(answer.body)
    }
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }
  return { calls, asked: () => calls.map(({ asked }) => asked), fetch: fetchEvents }
}

const timings: UpstreamTimings = { patienceMs: 60_000, silenceMs: 60_000, retryMs: () => 0 }

/** A tab that notes what it hears. */
class Tab {
  readonly heard: HubMessage[] = []
  readonly tell: (message: TabMessage) => void

  constructor(hub: Hub) {
    this.tell = hub.join((message) => void this.heard.push(message))
  }

  follow(replyId = 'r', after = -1, follow = 1): this {
    this.tell({ type: 'follow', follow, replyId, after })
    return this
  }

  frames(follow = 1): ReplyFrame[] {
    return this.heard.flatMap((message) =>
      message.type === 'frames' && message.follow === follow ? message.frames : [],
    )
  }

  text(follow = 1): string {
    return this.frames(follow)
      .map((frame) => (frame.type === 'text' ? frame.data.text : ''))
      .join('')
  }

  ends(follow = 1): number {
    return this.frames(follow).filter(({ type }) => type !== 'text').length
  }

  count(type: HubMessage['type']): number {
    return this.heard.filter((message) => message.type === type).length
  }

  links(): LinkState[] {
    return this.heard.flatMap((message) => (message.type === 'link' ? [message.state] : []))
  }

  news(): News[] {
    return this.heard.flatMap((message) => (message.type === 'news' ? message.news : []))
  }
}

const hubs: Tab[] = []
function openTab(hub: Hub): Tab {
  const tab = new Tab(hub)
  hubs.push(tab)
  return tab
}
afterEach(() => {
  vi.useRealTimers()
  for (const tab of hubs.splice(0)) tab.tell({ type: 'leave' })
})

/** One tab that follows one reply of such a server, to the end of the reply. */
async function follow(answers: Answer[], after = -1) {
  const server = serve(answers)
  const tab = openTab(new Hub('me', { fetch: server.fetch, timings })).follow('r', after)
  await until(() => expect(tab.ends()).toBe(1))
  return { tab, asked: server.asked().filter((asked) => asked !== ''), text: tab.text() }
}

describe('following a reply', () => {
  it('gives every frame once and in order, and ends at the terminal one', async () => {
    const heard = await follow([streamOf(hello + text(0, 'Hel') + text(1, 'lo ✓ 日本') + end(2))])
    expect([heard.text, heard.asked]).toEqual(['Hello ✓ 日本', ['r:-1']])
    expect(heard.tab.frames().map(({ seq }) => seq)).toEqual([0, 1, 2])
  })

  it('asks again from the last frame after a cut, a refusal and a server error, and says so', async () => {
    const heard = await follow([
      streamOf(`${hello + text(0, 'a') + text(1, 'b')}event: rep`, { cut: true }),
      'refused',
      new Response('down', { status: 503 }),
      streamOf(hello + text(2, 'c') + end(3)),
    ])
    expect([heard.text, heard.asked]).toEqual(['abc', ['r:-1', 'r:1', 'r:1', 'r:1']])
    expect(heard.tab.links().slice(0, 2)).toEqual(['lost', 'up'])
    expect(heard.tab.count('hello')).toBe(2)
  })

  it('drops what it has already heard', async () => {
    const heard = await follow([
      streamOf(hello + text(0, 'a') + text(1, 'b'), { cut: true }),
      streamOf(hello + text(0, 'a') + text(1, 'b') + text(2, 'c') + end(3)),
    ])
    expect(heard.text).toBe('abc')
  })

  it('refuses a gap and asks for what is missing', async () => {
    const heard = await follow([
      streamOf(hello + text(0, 'a') + text(2, 'c')),
      streamOf(hello + text(1, 'b') + text(2, 'c') + end(3)),
    ])
    expect([heard.text, heard.asked]).toEqual(['abc', ['r:-1', 'r:0']])
  })

  it('takes the whole text of a folded reply, which leaves the numbers up to its end out', async () => {
    const heard = await follow([streamOf(hello + text(0, 'all of it') + end(57))])
    expect([heard.text, heard.asked]).toEqual(['all of it', ['r:-1']])
  })

  it('takes the end of a reply whose frames are folded away', async () => {
    const heard = await follow([streamOf(hello + end(57, 'interrupted'))], 3)
    expect([heard.text, heard.asked]).toEqual(['', ['r:3']])
  })

  it('goes on when the server closes without an end, and through what is no event at all', async () => {
    const heard = await follow([
      streamOf(hello + text(0, 'a')),
      streamOf('<html>Bad gateway</html>'),
      streamOf(`${hello}event: reply\ndata: {broken\n\n`),
      streamOf(hello + text(1, 'b') + end(2)),
    ])
    expect([heard.text, heard.asked]).toEqual(['ab', ['r:-1', 'r:0', 'r:0', 'r:0']])
  })

  it('is told when the reply is gone, and hears the rest', async () => {
    const server = serve([streamOf(hello + event('reply_gone', { reply_id: 'x' }) + text(0, 'a') + end(1))])
    const tab = openTab(new Hub('me', { fetch: server.fetch, timings }))
      .follow('x', -1, 2)
      .follow('r', -1, 1)
    await until(() => expect(tab.ends()).toBe(1))
    expect(tab.heard).toContainEqual({ type: 'gone', follow: 2 })
    expect(tab.count('gone')).toBe(1)
  })

  it('waits longer each time, never so long that who is back waits a second', () => {
    const delays = [0, 1, 2, 3, 4, 20].map((attempt) => retryDelayMs(attempt, () => 1))
    expect(delays).toEqual([200, 400, 800, 800, 800, 800])
  })
})

describe('one connection for all tabs', () => {
  it('replays what a second tab lacks, and the first hears nothing twice', async () => {
    const [first, second] = [openStream(), openStream()]
    const server = serve([first, second])
    const hub = new Hub('me', { fetch: server.fetch, timings })
    const one = openTab(hub).follow()
    first.say(hello + text(0, 'a') + text(1, 'b'))
    await until(() => expect(one.text()).toBe('ab'))
    const two = openTab(hub).follow()
    await until(() => expect(server.asked()).toEqual(['r:-1', 'r:-1']))
    // The old connection goes on until the new one has begun.
    expect(server.calls[0]?.signal.aborted).toBe(false)
    first.say(text(2, 'c'))
    await until(() => expect(one.text()).toBe('abc'))
    expect(two.text()).toBe('')
    second.say(hello + text(0, 'a') + text(1, 'b') + text(2, 'c') + text(3, 'd') + end(4))
    await until(() => expect([one.ends(), two.ends()]).toEqual([1, 1]))
    expect([one.text(), two.text()]).toEqual(['abcd', 'abcd'])
    expect(server.calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
    // Nothing was missed in between.
    expect([one.count('hello'), one.links()]).toEqual([1, []])
  })

  it('tells all news to every tab, and greets the late one', async () => {
    const stream = openStream()
    const server = serve([stream])
    const hub = new Hub('me', { fetch: server.fetch, timings })
    const one = openTab(hub)
    stream.say(hello)
    await until(() => expect(one.count('hello')).toBe(1))
    const two = openTab(hub)
    stream.say(event('conversation', { id: 'c1' }) + event('conversation_deleted', { id: 'c2' }))
    await until(() => expect(two.news()).toHaveLength(2))
    expect([two.count('hello'), one.news()]).toEqual([1, two.news()])
    expect(server.calls).toHaveLength(1)
  })

  it('is closed when the last tab has left, and opened again for the next', async () => {
    const server = serve([openStream(), 'never'])
    const hub = new Hub('me', { fetch: server.fetch, timings })
    const one = openTab(hub)
    const two = openTab(hub)
    await until(() => expect(server.calls).toHaveLength(1))
    one.tell({ type: 'leave' })
    expect(server.calls[0]?.signal.aborted).toBe(false)
    two.tell({ type: 'leave' })
    expect(server.calls[0]?.signal.aborted).toBe(true)
    openTab(hub)
    await until(() => expect(server.calls).toHaveLength(2))
  })

  it('forgets tabs that do not answer, and tells them in case they are only slow', async () => {
    vi.useFakeTimers()
    const server = serve([])
    const hub = new Hub('me', { fetch: server.fetch, timings })
    const dead = openTab(hub)
    const alive = openTab(hub)
    for (let n = 0; n <= maxSilentPings; n += 1) {
      await vi.advanceTimersByTimeAsync(pingEveryMs)
      alive.tell({ type: 'pong' })
    }
    expect(dead.heard.at(-1)).toEqual({ type: 'dropped' })
    expect(alive.count('dropped')).toBe(0)
    expect(server.calls.at(-1)?.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(pingEveryMs * (maxSilentPings + 1))
    expect(server.calls.every(({ signal }) => signal.aborted)).toBe(true)
  })

  it('follows as many replies as fit, and the next when one has ended', async () => {
    const [first, second] = [openStream(), openStream()]
    const server = serve([first, second])
    const tab = openTab(new Hub('me', { fetch: server.fetch, timings }))
    for (let n = 0; n < 33; n += 1) tab.follow(`r${n}`, -1, n)
    await until(() => expect(server.calls).toHaveLength(1))
    expect(server.asked()[0]?.split(',')).toHaveLength(32)
    first.say(hello + end(0, 'completed', 'r3'))
    await until(() => expect(server.calls).toHaveLength(2))
    expect(server.asked()[1]).toMatch(/,r32:-1$/)
  })
})

describe('a connection', () => {
  it('is lost when nothing comes for too long, and when nobody answers', async () => {
    const impatient = { ...timings, patienceMs: 20, silenceMs: 20 }
    const silent = openStream()
    const server = serve([silent, 'never', 'never'])
    const tab = openTab(new Hub('me', { fetch: server.fetch, timings: impatient }))
    silent.say(hello)
    await until(() => expect(server.calls.length).toBeGreaterThan(2))
    expect(tab.links()).toEqual(['lost'])
    expect(server.calls.slice(0, 2).every(({ signal }) => signal.aborted)).toBe(true)
  })

  it('is tried anew at once when the network is back or somebody looks', async () => {
    const never = { ...timings, retryMs: () => 3_600_000 }
    const stream = openStream()
    const server = serve(['refused', 'refused', stream])
    const tab = openTab(new Hub('me', { fetch: server.fetch, timings: never }))
    await until(() => expect(tab.links()).toEqual(['lost']))
    tab.tell({ type: 'seen' })
    await until(() => expect(server.calls).toHaveLength(2))
    tab.tell({ type: 'online' })
    stream.say(hello)
    await until(() => expect(tab.links()).toEqual(['lost', 'up']))
  })

  it('is not trusted after the network was away: a new one takes its place, and something may have been missed', async () => {
    const [first, second] = [openStream(), openStream()]
    const server = serve([first, second])
    const tab = openTab(new Hub('me', { fetch: server.fetch, timings }))
    first.say(hello)
    await until(() => expect(tab.count('hello')).toBe(1))
    tab.tell({ type: 'seen' })
    tab.tell({ type: 'online' })
    second.say(hello)
    await until(() => expect(tab.count('hello')).toBe(2))
    expect(server.calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expect(tab.links()).toEqual([])
  })

  it.each([401, 403])('ends at status %i, until somebody looks again', async (status) => {
    const stream = openStream()
    const server = serve([new Response(null, { status }), stream])
    const tab = openTab(new Hub('me', { fetch: server.fetch, timings }))
    await until(() => expect(tab.links()).toEqual(['signed_out']))
    expect(server.calls).toHaveLength(1)
    tab.tell({ type: 'seen' })
    stream.say(hello)
    await until(() => expect(tab.links()).toEqual(['signed_out', 'up']))
  })

  it('of somebody else is as good as none', async () => {
    const stream = openStream()
    const server = serve([stream])
    const tab = openTab(new Hub('me', { fetch: server.fetch, timings })).follow()
    stream.say(event('hello', { user_id: 'you' }) + event('conversation', { id: 'yours' }) + text(0, 'a'))
    await until(() => expect(tab.links()).toEqual(['signed_out']))
    expect([tab.news(), tab.frames(), server.calls[0]?.signal.aborted]).toEqual([[], [], true])
  })
})

describe('however the network cuts and repeats', () => {
  const words = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 12,
  })
  const cuts = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { maxLength: 4 })

  it('every tab has the same bytes, once and in order, from wherever it began', async () => {
    await fc.assert(
      fc.asyncProperty(
        words,
        cuts,
        fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
        async (said, cut, begins) => {
          const wellFormed = said.map((word) => word.toWellFormed())
          const all = wellFormed.map((word, seq) => text(seq, word))
          const whole = () => streamOf(hello + all.join('') + end(all.length))
          const answers = cut.map(([from, count]) =>
            streamOf(hello + all.slice(from, from + count).join(''), { cut: true }),
          )
          const server = serve([...answers, ...Array.from({ length: 12 }, whole)])
          const hub = new Hub('me', { fetch: server.fetch, timings })
          const tabs: [Tab, number][] = []
          for (const begin of begins) {
            const after = Math.min(begin, all.length) - 1
            tabs.push([openTab(hub).follow('r', after), after])
            await new Promise((done) => setTimeout(done, begin % 4))
          }
          await until(() => expect(tabs.map(([tab]) => tab.ends())).toEqual(tabs.map(() => 1)))
          for (const [tab, after] of tabs) {
            const seqs = tab
              .frames()
              .slice(0, -1)
              .map(({ seq }) => seq)
            expect(seqs).toEqual(seqs.map((_, n) => after + 1 + n))
            expect(tab.text()).toBe(wellFormed.slice(after + 1, after + 1 + seqs.length).join(''))
            tab.tell({ type: 'leave' })
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('the event stream', () => {
  it('reads the same events wherever the text is cut and whichever line ends it has', () => {
    const source =
      'id: 1\nevent: text\ndata: {"a":1}\ndata: more\n\n: heartbeat\n\ndata:tight\nid\nunknown: x\n\ndata\n\n'
    const whole = createEventStreamParser().push(source)
    expect(whole).toEqual([
      { id: '1', type: 'text', data: '{"a":1}\nmore' },
      { id: '', type: 'message', data: 'tight' },
      { id: '', type: 'message', data: '' },
    ])
    for (const lineEnd of ['\n', '\r\n', '\r']) {
      const text = `${source.replaceAll('\n', lineEnd)}data: x`
      for (let cut = 0; cut <= text.length; cut += 1) {
        const parser = createEventStreamParser()
        expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(whole)
      }
    }
  })
})

describe('running text', () => {
  it('tells its own readers once per painted frame, with all that has arrived', () => {
    const tasks: (() => void)[] = []
    const live = createLiveText((task) => tasks.push(task))
    const seen: string[] = []
    live.subscribe('a', () => seen.push(live.get('a').text))
    live.subscribe('b', () => seen.push('b'))
    live.append('a', 'text', 'x')
    live.append('a', 'text', 'y')
    live.append('a', 'reasoning', 'why')
    expect(seen).toEqual([])
    expect(tasks).toHaveLength(1)
    tasks[0]?.()
    expect(seen).toEqual(['xy'])
    expect(live.get('a').reasoning).toBe('why')
    live.clear('a')
    expect(live.get('a').text).toBe('')
  })
})
