import type { LiveEvent } from '../../lib/contracts/events'
import type { Client } from './client'
import { readSse } from './raw-stream'

type Told<T extends LiveEvent['type']> = Extract<LiveEvent, { type: T }>['data']

/** One connection to `/api/events`, read in the background from its first byte on. */
export type Listening = {
  /** All that was told so far, in order. */
  events: LiveEvent[]
  /** Settles when the server has ended the stream. */
  ended: Promise<void>
  /** The first event of this type that fits, as soon as it is there. */
  hear<T extends LiveEvent['type']>(type: T, fits?: (data: Told<T>) => boolean): Promise<Told<T>>
  leave(): void
}

/** Listens to a user's events; `replies` as the query takes it. Throws where the server refuses. */
export async function listen(user: Client, replies?: string): Promise<Listening> {
  const gone = new AbortController()
  const response = await fetch(`${user.url}/api/events${replies ? `?replies=${replies}` : ''}`, {
    headers: { authorization: `Bearer ${user.token}` },
    signal: gone.signal,
  })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  const events: LiveEvent[] = []
  const wakers = new Set<() => void>()
  let isOver = false
  const wake = () => {
    for (const waker of wakers) waker()
  }
  const read = async () => {
    const decoder = new TextDecoder()
    let buffer = ''
    for await (const chunk of response.body ?? []) {
      buffer += decoder.decode(chunk, { stream: true })
      const end = buffer.lastIndexOf('\n\n') + 2
      if (end < 2) continue
      for (const { event, data } of readSse(buffer.slice(0, end)))
        events.push({ type: event, data: JSON.parse(data) } as LiveEvent)
      buffer = buffer.slice(end)
      wake()
    }
  }
  const ended = read()
    .catch(() => {})
    .finally(() => {
      isOver = true
      wake()
    })
  return {
    events,
    ended,
    async hear(type, fits = () => true) {
      for (;;) {
        const found = events.find((event) => event.type === type && fits(event.data as never))
        if (found) return found.data as never
        if (isOver) throw new Error(`The stream ended before ${type}: ${JSON.stringify(events.slice(-5))}`)
        await new Promise<void>((resolve) => wakers.add(resolve))
      }
    },
    leave: () => gone.abort(),
  }
}

/** The text that these events told of one answer, and the numbers of its events. */
export function heardOf(events: LiveEvent[], replyId: string): { text: string; seqs: number[]; end: string } {
  const frames = events.flatMap((event) =>
    event.type === 'reply' && event.data.reply_id === replyId ? [event.data] : [],
  )
  return {
    text: frames.map((frame) => (frame.type === 'text' ? frame.data.text : '')).join(''),
    seqs: frames.map(({ seq }) => seq),
    end: frames.at(-1)?.type ?? '',
  }
}
