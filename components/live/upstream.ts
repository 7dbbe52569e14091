import type { Follows, LiveEvent } from '@/lib/contracts/events'
import { createEventStreamParser, type StreamEvent } from './event-stream'
import { isEnd } from './protocol'

/** What the connection is for, and who hears of it. */
export type UpstreamHost = {
  /** Whose browser this is; a connection that is someone else's is dropped. */
  userId: string
  /** The replies to follow from now on, each with the last frame that is here. */
  follows(): Follows
  onEvents(events: LiveEvent[]): void
  /** Connected; `missed` says whether something may have been told while nobody listened. */
  onUp(missed: boolean): void
  onLost(): void
  onSignedOut(): void
}

export type UpstreamTimings = {
  /** Without an answer for this long a try has failed. */
  patienceMs: number
  /** Without a byte for this long (the server sends a comment every 15 s) the connection is lost. */
  silenceMs: number
  /** How long to wait before try number `attempt`, from 0. */
  retryMs(attempt: number): number
}

/** 200, 400, then 800 ms, spread by up to a quarter: who is back is served within a second. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  return Math.min(800, 200 * 2 ** attempt) * (0.75 + random() / 4)
}

export const usualTimings: UpstreamTimings = { patienceMs: 10_000, silenceMs: 40_000, retryMs: retryDelayMs }

/** A connection that held for this long was a good one. */
const steadyMs = 2000

type Connection = {
  controller: AbortController
  /** How far each reply has come that this connection carries. */
  positions: Map<string, number>
  heardAt: number
  begunAt?: number
  watch?: ReturnType<typeof setTimeout>
}

/**
 * The one connection to `/api/events`, through losses and restarts of the server, until it is closed. A new one takes
 * the place of the present one only when it has begun, so that a change of what is followed loses nothing.
 */
export class Upstream {
  readonly #host: UpstreamHost
  readonly #fetch: typeof fetch
  readonly #timings: UpstreamTimings
  #current: Connection | undefined
  #next: Connection | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #attempt = 0
  #missed = true

  constructor(host: UpstreamHost, fetchEvents: typeof fetch, timings: UpstreamTimings) {
    this.#host = host
    this.#fetch = fetchEvents
    this.#timings = timings
  }

  get isUp(): boolean {
    return this.#current !== undefined
  }

  /** Whether there is a connection, or will be without anybody asking. */
  get isOpen(): boolean {
    return (this.#current ?? this.#next ?? this.#retry) !== undefined
  }

  /** Whether the frames of this reply after `after` come, or will, without another connection. */
  isServing(replyId: string, after: number): boolean {
    const position = (this.#next ?? this.#current)?.positions.get(replyId)
    return position !== undefined && position <= after
  }

  /** Connects anew, at once. */
  open(): void {
    this.#stopWaiting()
    const before = this.#next
    const follows = this.#host.follows()
    const next: Connection = {
      controller: new AbortController(),
      positions: new Map(follows),
      heardAt: Date.now(),
    }
    this.#next = next
    before?.controller.abort()
    void this.#run(next, follows)
  }

  /** Connects if nothing is connected, or if what is has been silent for so long that it may be dead. */
  look(): void {
    const isSilent = this.#current && Date.now() - this.#current.heardAt > this.#timings.silenceMs / 2
    if (isSilent) this.distrust()
    else if (!this.#current) this.open()
  }

  /** Connects anew because the present connection may be dead. */
  distrust(): void {
    this.#missed = true
    this.open()
  }

  close(): void {
    this.#stopWaiting()
    const open = [this.#current, this.#next]
    this.#current = undefined
    this.#next = undefined
    this.#missed = true
    for (const connection of open) connection?.controller.abort()
  }

  #stopWaiting(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
  }

  async #run(connection: Connection, follows: Follows): Promise<void> {
    const { signal } = connection.controller
    this.#expectWithin(this.#timings.patienceMs, connection)
    try {
      const response = await this.#fetch(addressOf(follows), {
        headers: { accept: 'text/event-stream' },
        cache: 'no-store',
        signal,
      })
      if (response.status === 401 || response.status === 403) return this.#signOut(connection)
      if (response.ok && response.body) await this.#read(connection, response.body)
    } catch {
      // Refused, cut, malformed or with a gap: the log has all of it, so ask again from the last good frame.
    } finally {
      clearTimeout(connection.watch)
      connection.controller.abort()
    }
    this.#fail(connection)
  }

  async #read(connection: Connection, body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = createEventStreamParser()
    const decoder = new TextDecoder()
    const reader = body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done || !this.#isWanted(connection)) return
      connection.heardAt = Date.now()
      this.#expectWithin(this.#timings.silenceMs, connection)
      const events = parser.push(decoder.decode(value, { stream: true })).map(readEvent)
      this.#take(connection, events)
    }
  }

  #take(connection: Connection, events: LiveEvent[]): void {
    const good: LiveEvent[] = []
    try {
      for (const event of events) {
        if (event.type === 'hello') this.#begin(connection, event.data.user_id)
        else if (isNew(connection.positions, event)) good.push(event)
      }
    } finally {
      if (good.length > 0 && connection === this.#current) this.#host.onEvents(good)
    }
  }

  #begin(connection: Connection, userId: string): void {
    if (userId !== this.#host.userId) this.#signOut(connection)
    if (connection !== this.#next) return
    const before = this.#current
    this.#current = connection
    this.#next = undefined
    before?.controller.abort()
    connection.begunAt = Date.now()
    const missed = this.#missed
    this.#missed = false
    this.#host.onUp(missed)
  }

  #isWanted(connection: Connection): boolean {
    return connection === this.#current || connection === this.#next
  }

  #expectWithin(ms: number, connection: Connection): void {
    clearTimeout(connection.watch)
    connection.watch = setTimeout(() => connection.controller.abort(), ms)
  }

  #fail(connection: Connection): void {
    if (!this.#isWanted(connection)) return
    if (connection === this.#next) this.#next = undefined
    else this.#current = undefined
    if (!this.#current) this.#missed = true
    if (this.#next) return
    if (!this.#current) this.#host.onLost()
    // One that ended as soon as it had begun would else be followed by the next at once, for ever.
    if (Date.now() - (connection.begunAt ?? Date.now()) > steadyMs) this.#attempt = 0
    this.#retry = setTimeout(() => this.open(), this.#timings.retryMs(this.#attempt))
    this.#attempt += 1
  }

  #signOut(connection: Connection): void {
    if (!this.#isWanted(connection)) return
    this.close()
    this.#host.onSignedOut()
  }
}

function addressOf(follows: Follows): string {
  if (follows.length === 0) return '/api/events'
  return `/api/events?replies=${follows.map(([replyId, after]) => `${replyId}:${after}`).join(',')}`
}

function readEvent({ type, data }: StreamEvent): LiveEvent {
  return { type, data: JSON.parse(data) } as LiveEvent
}

/** Whether the event is news: duplicates are not, and a gap is refused by throwing, so that it is asked for again. */
function isNew(positions: Map<string, number>, event: LiveEvent): boolean {
  if (event.type === 'reply_gone') positions.delete(event.data.reply_id)
  if (event.type !== 'reply') return true
  const { reply_id: replyId, seq } = event.data
  const position = positions.get(replyId)
  if (position === undefined) return false
  if (isEnd(event.data)) {
    // It carries the whole message, so it is good after any gap; the log may be folded by then.
    positions.delete(replyId)
    return true
  }
  if (seq > position + 1) throw new Error('A frame is missing.')
  if (seq <= position) return false
  positions.set(replyId, seq)
  return true
}
