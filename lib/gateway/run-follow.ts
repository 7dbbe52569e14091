import { setTimeout as sleep } from 'node:timers/promises'
import { type Actor, watchAccess } from '../auth'
import { AppError } from '../errors'
import { eventStream, type ServerEvent } from '../http'
import { isUnderWay, type KeptEvent, readEvents } from './run-rows'
import { runs } from './runs'

const pageSize = 200
/** What another server writes is looked for so often. */
const lookEveryMs = 1000

/**
 * The events of a response after a number, and those to come, as OpenAI streams them; it ends with the response, and
 * with the actor's session or key.
 */
export function streamRun(actor: Actor, id: string, after: number): Response {
  return eventStream((gone) => follow(actor, { id, after, gone }))
}

/** Throws invalid_input where the events of a response, which are kept for ten minutes after its end, are gone. */
export async function requireEvents(id: string): Promise<void> {
  if ((await readEvents(id, -1, 1)).length > 0) return
  const message = 'The events of this response are not kept any more. Retrieve it without stream.'
  throw new AppError('invalid_input', message, { issues: [{ path: 'stream', message }] })
}

type Following = { id: string; after: number; gone: AbortSignal }

async function* follow(actor: Actor, { id, after, gone }: Following): AsyncGenerator<ServerEvent[]> {
  const access = watchAccess(actor)
  const signal = AbortSignal.any([gone, access.lost])
  let last = after
  try {
    while (!signal.aborted) {
      const run = runs().find(id)
      const changed = run?.log.changed
      // Asked first: what is committed later than this is read below.
      const isOver = run === undefined && !(await isUnderWay(id))
      const events = run?.log.after(last) ?? (await readEvents(id, last, pageSize))
      last = events.at(-1)?.seq ?? last
      if (events.length > 0) yield events.map(toServerEvent)
      else if (isOver) return
      else await untilChanged(changed, signal)
    }
  } finally {
    access.release()
  }
}

function toServerEvent({ type, data }: KeptEvent): ServerEvent {
  return { event: type, data: JSON.parse(data) }
}

async function untilChanged(changed: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  const late = new AbortController()
  const waiting = sleep(lookEveryMs, undefined, {
    ref: false,
    signal: AbortSignal.any([signal, late.signal]),
  }).catch(() => undefined)
  await Promise.race(changed ? [changed, waiting] : [waiting])
  late.abort()
}
