import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEventStreamParser } from '@/components/chat/event-stream'
import { type FollowEnd, followReply, type ReplyFrame, retryDelayMs } from '@/components/chat/follow-reply'
import { createLiveText } from '@/components/chat/live-text'

const end = (type: string): string =>
  JSON.stringify({ message: { id: 'a1', status: type, text: 'all', parts: [], role: 'assistant' } })

const frame = (seq: number, text: string): string =>
  `id: ${seq}\nevent: text\ndata: ${JSON.stringify({ text })}\n\n`
const last = (seq: number, type = 'completed'): string => `id: ${seq}\nevent: ${type}\ndata: ${end(type)}\n\n`

function streamOf(text: string, { cut = false } = {}): Response {
  const bytes = new TextEncoder().encode(text)
  let next = 0
  const body = new ReadableStream<Uint8Array>({
    // One byte at a time, so that every character is cut somewhere; what was sent before a cut still arrives.
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

type Answer = Response | 'refused'

/** Follows a server that gives these answers one after another. */
async function follow(answers: Answer[], after = -1) {
  const asked: string[] = []
  const frames: ReplyFrame[] = []
  const links: boolean[] = []
  const controller = new AbortController()
  const result: FollowEnd = await followReply({
    eventsUrl: '/api/replies/r/events',
    after,
    signal: controller.signal,
    onFrame: (heard) => frames.push(heard),
    onLink: (connected) => links.push(connected),
    wait: async () => {
      if (answers.length === 0) controller.abort()
    },
    fetch: async (address) => {
      asked.push(new URL(String(address), 'http://x').searchParams.get('after') ?? '')
      const answer = answers.shift() ?? 'refused'
      if (answer === 'refused') throw new TypeError('refused')
      return answer
    },
  })
  const text = frames.map((heard) => (heard.type === 'text' ? heard.text : '')).join('')
  return { result, text, asked, links, ended: frames.filter(({ type }) => type === 'ended').length }
}

describe('following a reply', () => {
  it('gives every frame once and in order, and ends at the terminal one', async () => {
    const heard = await follow([streamOf(frame(0, 'Hel') + frame(1, 'lo ✓ 日本') + last(2))])
    expect(heard).toMatchObject({ result: 'ended', text: 'Hello ✓ 日本', ended: 1, asked: ['-1'] })
  })

  it('asks again from the last frame after a cut, a refusal and a server error', async () => {
    const heard = await follow([
      streamOf(`${frame(0, 'a') + frame(1, 'b')}id: 2\nevent: te`, { cut: true }),
      'refused',
      new Response('down', { status: 503 }),
      streamOf(frame(2, 'c') + last(3)),
    ])
    expect(heard).toMatchObject({ result: 'ended', text: 'abc', asked: ['-1', '1', '1', '1'] })
    expect(heard.links).toEqual([true, false, false, true])
  })

  it('drops what it has already heard', async () => {
    const heard = await follow([
      streamOf(frame(0, 'a') + frame(1, 'b'), { cut: true }),
      streamOf(frame(0, 'a') + frame(1, 'b') + frame(2, 'c') + last(3)),
    ])
    expect(heard.text).toBe('abc')
  })

  it('refuses a gap and asks for what is missing', async () => {
    const heard = await follow([
      streamOf(frame(0, 'a') + frame(2, 'c')),
      streamOf(frame(1, 'b') + frame(2, 'c') + last(3)),
    ])
    expect(heard).toMatchObject({ text: 'abc', asked: ['-1', '0'] })
  })

  it('takes the end of a reply whose frames are folded away', async () => {
    const heard = await follow([streamOf(last(57, 'interrupted'))])
    expect(heard).toMatchObject({ result: 'ended', ended: 1 })
  })

  it('goes on when the server closes without an end, and through what is no event at all', async () => {
    const heard = await follow([
      streamOf(frame(0, 'a')),
      streamOf('<html>Bad gateway</html>'),
      streamOf('id: 1\nevent: text\ndata: {broken\n\n'),
      streamOf(frame(1, 'b') + last(2)),
    ])
    expect(heard).toMatchObject({ result: 'ended', text: 'ab', asked: ['-1', '0', '0', '0'] })
  })

  it.each([
    [401, 'signed_out'],
    [404, 'gone'],
  ])('gives up at status %i', async (status, result) => {
    expect((await follow([new Response(null, { status })])).result).toBe(result)
  })

  it('ends when the page lets go', async () => {
    expect((await follow(['refused'])).result).toBe('aborted')
  })

  it('waits longer each time, never longer than a second', () => {
    const delays = [0, 1, 2, 3, 4, 20].map((attempt) => retryDelayMs(attempt, () => 1))
    expect(delays).toEqual([200, 400, 800, 1000, 1000, 1000])
  })

  it('is byte-exact however the network cuts and repeats', async () => {
    const words = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(
        words,
        fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { maxLength: 4 }),
        async (texts, cuts) => {
          const wellFormed = texts.map((text) => text.toWellFormed())
          const all = wellFormed.map((text, seq) => frame(seq, text))
          const answers = cuts.map(([from, count]) =>
            streamOf(all.slice(from, from + count).join(''), { cut: true }),
          )
          const heard = await follow([
            ...answers,
            streamOf(all.join('') + last(all.length)),
            streamOf(all.join('') + last(all.length)),
          ])
          expect(heard.text).toBe(wellFormed.join(''))
          expect(heard.ended).toBe(1)
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
