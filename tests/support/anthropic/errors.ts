import type { ErrorSpec } from './types.ts'

const soon = () => new Date(Date.now() + 30_000).toISOString()

/** Anthropic's errors with the words that its API uses for them (https://platform.claude.com/docs/en/api/errors). */
const specs: Record<string, () => ErrorSpec> = {
  invalid_request: () => ({
    status: 400,
    type: 'invalid_request_error',
    message: 'messages: at least one message is required',
  }),
  too_long: () => ({
    status: 400,
    type: 'invalid_request_error',
    message: 'prompt is too long: 215000 tokens > 200000 maximum',
  }),
  no_credit: () => ({
    status: 400,
    type: 'invalid_request_error',
    message:
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  }),
  authentication: () => ({ status: 401, type: 'authentication_error', message: 'invalid x-api-key' }),
  billing: () => ({
    status: 402,
    type: 'billing_error',
    message: 'There is an issue with your billing or payment information.',
  }),
  permission: () => ({
    status: 403,
    type: 'permission_error',
    message: 'Your API key does not have permission to use the specified resource.',
  }),
  not_found: () => ({ status: 404, type: 'not_found_error', message: 'model: claude-none' }),
  too_large: () => ({
    status: 413,
    type: 'request_too_large',
    message: 'Request exceeds the maximum allowed number of bytes.',
  }),
  rate_limit: () => ({
    status: 429,
    type: 'rate_limit_error',
    message:
      "This request would exceed your organization's rate limit of 50,000 input tokens per minute (org: 1b4d2c3a-0f6e-4a7b-9c8d-5e6f7a8b9c0d, model: claude-sonnet-4-5).",
    headers: {
      'retry-after': '7',
      'x-should-retry': 'true',
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': soon(),
      'anthropic-ratelimit-tokens-limit': '50000',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': soon(),
    },
  }),
  api: () => ({ status: 500, type: 'api_error', message: 'Internal server error' }),
  timeout: () => ({ status: 504, type: 'timeout_error', message: 'Request timed out' }),
  overloaded: () => ({ status: 529, type: 'overloaded_error', message: 'Overloaded' }),
}

/** An error to be answered with. */
export class WireError extends Error {
  readonly spec: ErrorSpec

  constructor(spec: ErrorSpec) {
    super(spec.message)
    this.spec = spec
  }
}

/** The error of this name, or the one that is spelled out. */
export function errorOf(named: string | ErrorSpec): WireError {
  const spec = typeof named === 'string' ? specs[named]?.() : named
  if (spec === undefined) throw new Error(`there is no error named ${String(named)}`)
  return new WireError(spec)
}

export function badRequest(message: string): WireError {
  return new WireError({ status: 400, type: 'invalid_request_error', message })
}
