import { logUnexpected } from './portal-error'

/** One server-sent event: its id and its type, where it has them, and data that becomes JSON. */
export type ServerEvent = { id?: number; event?: string; data: unknown }

const heartbeatMs = 15_000

/**
 * A stream of server-sent events with a comment every 15 s; events that come together leave in one piece.
 * Nothing begins before the first read, and the source is pulled only while the reader keeps up: an answer to HEAD, or
 * to who has gone, costs nothing. `open` gets a signal that fires when the reader is gone.
 */
export function eventStream(open: (signal: AbortSignal) => AsyncIterable<ServerEvent[]>): Response {
  const gone = new AbortController()
  const encoder = new TextEncoder()
  let heartbeat: NodeJS.Timeout | undefined
  let events: AsyncIterator<ServerEvent[]> | undefined
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      if (!events) {
        events = open(gone.signal)[Symbol.asyncIterator]()
        controller.enqueue(encoder.encode(': open\n\n'))
        heartbeat = setInterval(() => {
          // Below zero, the last comment has not been read yet.
          if (controller.desiredSize === 0) controller.enqueue(encoder.encode(': still here\n\n'))
        }, heartbeatMs)
        return
      }
      const next = await events.next().catch(endInError)
      if (!next || next.done) {
        clearInterval(heartbeat)
        return controller.close()
      }
      controller.enqueue(encoder.encode(next.value.map(writeEvent).join('')))
    },
    async cancel() {
      clearInterval(heartbeat)
      gone.abort()
      await events?.return?.()
    },
  }
  const stream = new ReadableStream(source, { highWaterMark: 0 })
  return new Response(stream, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
  })
}

function writeEvent({ id, event, data }: ServerEvent): string {
  const number = id === undefined ? '' : `id: ${id}\n`
  const type = event === undefined ? '' : `event: ${event}\n`
  return `${number}${type}data: ${JSON.stringify(data)}\n\n`
}

/** A stream that cannot go on is closed; the reader comes back and is told why, with a status. */
function endInError(error: unknown): null {
  logUnexpected(error, null)
  return null
}

/** The id of the last event that a reconnecting reader has seen, or null. */
export function lastEventId(request: Request): number | null {
  const given = request.headers.get('last-event-id') ?? ''
  return /^\d{1,9}$/.test(given) ? Number(given) : null
}

/** Whether the caller would rather be told as it comes than at the end. */
export function wantsEvents(request: Request): boolean {
  return /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(request.headers.get('accept') ?? '')
}
