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

/** The error in OpenAI's dialect: `{ error: { message, type, param, code } }`. What nobody foresaw is logged. */
export function openAiErrorResponse(error: unknown, requestId: string): Response {
  const known = asAppError(error)
  logUnexpected(error, requestId)
  const { status = statusOf[known.code], type, code }: Words = words[known.code]
  const body = {
    error: {
      message: known.message,
      type: typeof known.facts?.type === 'string' ? known.facts.type : type,
      param: known.issues?.[0]?.path || null,
      code: typeof known.facts?.code === 'string' ? known.facts.code : code,
    },
  }
  const headers = new Headers(known.headers)
  // The official clients try again by themselves where they hope for better.
  if (known.code === 'budget_exceeded') headers.set('x-should-retry', 'false')
  if (known.retryAfterSeconds !== undefined)
    headers.set('retry-after', String(Math.max(1, Math.ceil(known.retryAfterSeconds))))
  return Response.json(body, { status, headers })
}
