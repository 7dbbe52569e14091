import { asAppError } from '../errors'
import { log } from '../log'

/** One server-sent event: its id, its type, and data that becomes JSON. */
export type ServerEvent = { id: number; event: string; data: unknown }

const heartbeatMs = 15_000

/**
 * A stream of server-sent events with a comment every 15 s.
 * The source is pulled only while the reader keeps up; `open` gets a signal that fires when the reader is gone.
 */
export function eventStream(open: (signal: AbortSignal) => AsyncIterable<ServerEvent>): Response {
  const gone = new AbortController()
  const encoder = new TextEncoder()
  let heartbeat: NodeJS.Timeout | undefined
  let events: AsyncIterator<ServerEvent> | undefined
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      events = open(gone.signal)[Symbol.asyncIterator]()
      controller.enqueue(encoder.encode(': open\n\n'))
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'))
      }, heartbeatMs)
    },
    async pull(controller) {
      const next = await events?.next().catch(endInError)
      if (!next || next.done) {
        clearInterval(heartbeat)
        return controller.close()
      }
      const { id, event, data } = next.value
      controller.enqueue(encoder.encode(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
    },
    async cancel() {
      clearInterval(heartbeat)
      gone.abort()
      await events?.return?.()
    },
  })
  return new Response(stream, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
  })
}

/** A stream that cannot go on is closed; the reader comes back and is told why, with a status. */
function endInError(error: unknown): null {
  const known = asAppError(error)
  if (known.code === 'internal') log().error({ err: known.cause ?? known }, 'an event stream broke off')
  return null
}

/** The id of the last event that a reconnecting reader has seen, or null. */
export function lastEventId(request: Request): number | null {
  const given = request.headers.get('last-event-id') ?? ''
  return /^\d{1,9}$/.test(given) ? Number(given) : null
}
