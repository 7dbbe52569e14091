import type { ServerResponse } from 'node:http'
import type { JournalEntry, Script } from './types.ts'

/** What can be steered from another process. */
export type Steering = {
  script(next: Script, options?: { times?: number }): void
  journal: readonly JournalEntry[]
  reset(): void
}

/** Answers the calls under `/__control`; `false` when there is no such call. */
export function answerControl(
  call: string,
  body: string,
  steering: Steering,
  response: ServerResponse,
): boolean {
  const answer = carryOut(call, body, steering)
  if (answer === undefined) return false
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answer))
  return true
}

function carryOut(call: string, body: string, steering: Steering): unknown {
  if (call === 'GET /__control/journal') return steering.journal
  if (call === 'POST /__control/reset') {
    steering.reset()
    return { ok: true }
  }
  if (call !== 'POST /__control/script') return undefined
  const { times, ...script } = JSON.parse(body) as Script & { times?: number | 'always' }
  steering.script(script, { times: times === 'always' ? Number.POSITIVE_INFINITY : times })
  return { ok: true }
}
