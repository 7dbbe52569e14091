import type { IncomingHttpHeaders } from 'node:http'

/** What of an answer's head is for the caller: all else speaks of the connection, or of whose key it was. */
const passedNames = new Set([
  'content-type',
  'content-disposition',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
])
const passedBeginnings = ['openai-', 'x-ratelimit-']
const withheld = new Set(['openai-organization', 'openai-project'])

/** The headers of a model server's answer that go on to the caller. */
export function passHeaders(given: IncomingHttpHeaders): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    const isPassed = passedNames.has(name) || passedBeginnings.some((start) => name.startsWith(start))
    if (isPassed && !withheld.has(name) && typeof value === 'string') headers.set(name, value)
  }
  return headers
}

/** What of a request's head goes on to the model server: nothing that names the caller, or whose account pays. */
export function passRequestHeaders(request: Request): Record<string, string> {
  const names = ['accept', 'openai-beta']
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = request.headers.get(name)
      return value === null || value.length > 1000 ? [] : [[name, value]]
    }),
  )
}
