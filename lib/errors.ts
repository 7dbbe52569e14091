/** Every way in which a call can fail, as the HTTP contract names them. */
export type ErrorCode =
  | 'invalid_input'
  | 'unauthenticated'
  | 'budget_exceeded'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'too_large'
  | 'unsupported_media_type'
  | 'too_many_requests'
  | 'provider_auth'
  | 'provider_failed'
  | 'unavailable'
  | 'provider_timeout'
  | 'storage_full'
  | 'internal'

/** HTTP status of each code. */
export const statusOf = {
  invalid_input: 400,
  unauthenticated: 401,
  budget_exceeded: 402,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  provider_auth: 502,
  provider_failed: 502,
  unavailable: 503,
  provider_timeout: 504,
  storage_full: 507,
  internal: 500,
} satisfies Record<ErrorCode, number>

/** One fault in the input: where it is and what is wrong with it. */
export type Issue = { path: string; message: string }

type Details = {
  cause?: unknown
  issues?: Issue[]
  /** Seconds until another try makes sense; sent as `retry-after`. */
  retryAfterSeconds?: number
  /** Facts for the caller, such as the counts of what a deletion would take. Never a secret. */
  facts?: Record<string, unknown>
  /** What the head of the answer tells beside `retry-after`, such as what is left of a limit. */
  headers?: Record<string, string>
}

/** The only error that domain code throws. Its message is written for the person who reads it. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly issues: Issue[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly facts: Record<string, unknown> | undefined
  readonly headers: Record<string, string> | undefined

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause })
    this.name = 'AppError'
    this.code = code
    this.issues = details.issues
    this.retryAfterSeconds = details.retryAfterSeconds
    this.facts = details.facts
    this.headers = details.headers
  }
}

/** The error as AppError: itself, or `internal` with the original as its cause. */
export function asAppError(error: unknown): AppError {
  // Next bundles pages and routes apart, so the class may exist twice; its name is the same.
  if (error instanceof AppError) return error
  if (error instanceof Error && error.name === 'AppError' && 'code' in error) return error as AppError
  return new AppError('internal', 'The server failed to answer this request. Nothing was saved.', {
    cause: error,
  })
}
