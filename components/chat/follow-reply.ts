import type { MessageRecord, ReplyError } from '@/lib/contracts/conversations'
import { createEventStreamParser, type StreamEvent } from './event-stream'

/** What a follower hears about a reply. Frames that the page does not know are kept as `other`. */
export type ReplyFrame =
  | { type: 'text' | 'reasoning'; text: string }
  | { type: 'ended'; message: MessageRecord; error?: ReplyError }
  | { type: 'other' }

/** Why following ended: the reply did, it is not there (any more), the session is over, or the page let go. */
export type FollowEnd = 'ended' | 'gone' | 'signed_out' | 'aborted'

export type FollowOptions = {
  eventsUrl: string
  /** The last frame that is already here; -1 when there is none. */
  after: number
  signal: AbortSignal
  onFrame(frame: ReplyFrame, seq: number): void
  /** Told when the connection is lost (false) and when it is back (true). */
  onLink(connected: boolean): void
  fetch?: typeof fetch
  /** Waits before another try; resolves early when the network is back or the signal fires. */
  wait?(delayMs: number, signal: AbortSignal): Promise<void>
  /** Without a byte for this long (the server sends a comment every 15 s) the connection counts as lost. */
  silenceMs?: number
}

const terminalTypes = new Set(['completed', 'stopped', 'interrupted', 'failed'])

function readFrame({ type, data }: StreamEvent): ReplyFrame {
  const body = JSON.parse(data) as { text?: unknown; message?: MessageRecord; error?: ReplyError }
  if ((type === 'text' || type === 'reasoning') && typeof body.text === 'string')
    return { type, text: body.text }
  if (terminalTypes.has(type) && body.message) {
    return body.error
      ? { type: 'ended', message: body.message, error: body.error }
      : { type: 'ended', message: body.message }
  }
  return { type: 'other' }
}

/** Waits, but no longer than until the browser says that the network is back. */
function waitForNetwork(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, delayMs)
    addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}

/** Milliseconds before try number `attempt` (from 0): 200, 400, 800, then 1,000; spread by up to a quarter. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  return Math.min(1000, 200 * 2 ** attempt) * (0.75 + random() / 4)
}

type Progress = { last: number; ended: boolean; heard: boolean }

/** Takes one event: duplicates are dropped; a gap is refused by throwing, so that the caller asks again. */
function takeEvent(event: StreamEvent, progress: Progress, onFrame: FollowOptions['onFrame']): void {
  const seq = Number(event.id)
  if (!Number.isSafeInteger(seq) || event.id === '') throw new Error('An event without a number.')
  const frame = readFrame(event)
  // A terminal frame carries the whole message, so it is good after any gap; the log may be folded by then.
  const isEnd = frame.type === 'ended'
  if (seq <= progress.last && !isEnd) return
  if (seq > progress.last + 1 && !isEnd) throw new Error('A frame is missing.')
  progress.last = Math.max(seq, progress.last)
  progress.heard = true
  progress.ended = isEnd
  onFrame(frame, seq)
}

async function readBody(
  body: ReadableStream<Uint8Array>,
  progress: Progress,
  options: FollowOptions,
): Promise<void> {
  const parser = createEventStreamParser()
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let silence: ReturnType<typeof setTimeout> | undefined
  try {
    while (!progress.ended) {
      clearTimeout(silence)
      silence = setTimeout(() => void reader.cancel().catch(() => {}), options.silenceMs ?? 40_000)
      const { done, value } = await reader.read()
      if (done) return
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        takeEvent(event, progress, options.onFrame)
        if (progress.ended) return
      }
    }
  } finally {
    clearTimeout(silence)
    void reader.cancel().catch(() => {})
  }
}

function addressAfter(eventsUrl: string, last: number): string {
  return `${eventsUrl}${eventsUrl.includes('?') ? '&' : '?'}after=${last}`
}

/** One connection. Returns why it is over for good, or undefined when another try may go on. */
async function followOnce(progress: Progress, options: FollowOptions): Promise<FollowEnd | undefined> {
  const response = await (options.fetch ?? fetch)(addressAfter(options.eventsUrl, progress.last), {
    headers: { accept: 'text/event-stream' },
    cache: 'no-store',
    signal: options.signal,
  })
  if (response.status === 401 || response.status === 403) return 'signed_out'
  if (response.status === 404 || response.status === 410) return 'gone'
  if (!response.ok || !response.body) return undefined
  options.onLink(true)
  await readBody(response.body, progress, options)
  return progress.ended ? 'ended' : undefined
}

/**
 * Follows a reply to its end: replays the frames after `after`, then stays with it, through lost
 * connections and restarts of the server, each frame once and in order. Never throws.
 */
export async function followReply(options: FollowOptions): Promise<FollowEnd> {
  const { signal } = options
  const wait = options.wait ?? waitForNetwork
  const progress: Progress = { last: options.after, ended: false, heard: false }
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    progress.heard = false
    try {
      const end = await followOnce(progress, options)
      if (end) return end
    } catch {
      // Lost, cut, malformed or with a gap: the log has all of it, so ask again from the last good frame.
    }
    if (signal.aborted) break
    if (progress.heard) attempt = 0
    else options.onLink(false)
    await wait(retryDelayMs(attempt), signal)
  }
  return 'aborted'
}
