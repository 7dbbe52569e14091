import { asAppError, type ErrorCode, statusOf } from '../errors'
import { logUnexpected } from './portal-error'

type Words = { status?: number; type: string; code: string | null }

const badRequest = { type: 'invalid_request_error', code: null }

/** What OpenAI's clients make of each error: https://platform.openai.com/docs/guides/error-codes */
const words = {
  invalid_input: badRequest,
  unauthenticated: { type: 'invalid_request_error', code: 'invalid_api_key' },
  budget_exceeded: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  forbidden: { type: 'invalid_request_error', code: 'insufficient_permissions' },
  not_found: { type: 'invalid_request_error', code: 'not_found' },
  method_not_allowed: { type: 'invalid_request_error', code: 'method_not_supported' },
  conflict: { type: 'invalid_request_error', code: 'conflict' },
  too_large: { type: 'invalid_request_error', code: 'request_too_large' },
  unsupported_media_type: { type: 'invalid_request_error', code: 'unsupported_content_type' },
  too_many_requests: { type: 'requests', code: 'rate_limit_exceeded' },
  provider_auth: { type: 'server_error', code: 'provider_auth' },
  provider_failed: { type: 'server_error', code: 'provider_failed' },
  unavailable: { type: 'server_error', code: 'unavailable' },
  provider_timeout: { type: 'server_error', code: 'provider_timeout' },
  storage_full: { type: 'server_error', code: 'storage_full' },
  internal: { type: 'server_error', code: 'internal' },
} satisfies Record<ErrorCode, Words>

/** Errors that OpenAI has a status for and the portal none. */
const statusOfCode: Record<string, number> = { idempotency_key_reused: 422 }

type Told = {
  status: number
  error: { message: string; type: string; param: string | null; code: string | null }
}

/** The error in OpenAI's words, for an answer or for the end of a stream. */
export function tellOpenAi(fault: unknown): Told {
  const known = asAppError(fault)
  const { status = statusOf[known.code], ...usual }: Words = words[known.code]
  const { facts = {} } = known
  const code = typeof facts.code === 'string' || facts.code === null ? facts.code : usual.code
  const type = typeof facts.type === 'string' ? facts.type : usual.type
  const error = { message: known.message, type, param: known.issues?.[0]?.path || null, code }
  return { status: statusOfCode[code ?? ''] ?? status, error }
}

/** The error in OpenAI's dialect: `{ error: { message, type, param, code } }`. What nobody foresaw is logged. */
export function openAiErrorResponse(fault: unknown, requestId: string): Response {
  const known = asAppError(fault)
  logUnexpected(fault, requestId)
  const { status, error } = tellOpenAi(known)
  const headers = new Headers(known.headers)
  // The official clients try again by themselves where they hope for better.
  if (known.code === 'budget_exceeded') headers.set('x-should-retry', 'false')
  if (known.retryAfterSeconds !== undefined)
    headers.set('retry-after', String(Math.max(1, Math.ceil(known.retryAfterSeconds))))
  return Response.json({ error }, { status, headers })
}
