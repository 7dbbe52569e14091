import { randomUUID } from 'node:crypto'

/** As the contract has it; but what begins like a key is not repeated in answers, logs and the audit. */
const fitting = /^(?![spr]k[-_]|alc_)[A-Za-z0-9_-]{8,64}$/

const ids = new WeakMap<Request, string>()

/** The caller's `x-request-id` if it has the form that the contract allows, else a new one; the same for one request. */
export function readRequestId(request: Request): string {
  const known = ids.get(request)
  if (known) return known
  const given = request.headers.get('x-request-id') ?? ''
  const id = fitting.test(given) ? given : randomUUID()
  ids.set(request, id)
  return id
}
