import { randomUUID } from 'node:crypto'

const ids = new WeakMap<Request, string>()

/** The caller's `x-request-id` if it has the form that the contract allows, else a new one; the same for one request. */
export function readRequestId(request: Request): string {
  const known = ids.get(request)
  if (known) return known
  const given = request.headers.get('x-request-id') ?? ''
  const id = /^[A-Za-z0-9_-]{8,64}$/.test(given) ? given : randomUUID()
  ids.set(request, id)
  return id
}
