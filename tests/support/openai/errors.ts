import type { Body, ErrorName, ErrorSpec, Script } from './types.ts'

type Spec = Required<Pick<ErrorSpec, 'status' | 'message' | 'type'>> &
  Pick<ErrorSpec, 'code' | 'param' | 'headers'>

const request = 'invalid_request_error'

const catalogue: Record<ErrorName, Spec> = {
  invalid_request: {
    status: 400,
    type: request,
    code: 'invalid_value',
    param: 'input',
    message: "Invalid value: 'input'.",
  },
  context_length_exceeded: {
    status: 400,
    type: request,
    code: 'context_length_exceeded',
    param: 'input',
    message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
  },
  invalid_api_key: { status: 401, type: request, code: 'invalid_api_key', message: '' },
  missing_scope: {
    status: 403,
    type: request,
    code: 'insufficient_permissions',
    message:
      'You have insufficient permissions for this operation. Missing scopes: model.request. Check that you have the correct role in your organization and project, and if you are using a restricted API key, that it has the necessary scopes.',
  },
  unsupported_country: {
    status: 403,
    type: 'request_forbidden',
    code: 'unsupported_country_region_territory',
    message: 'Country, region, or territory not supported',
  },
  model_not_found: { status: 404, type: request, code: 'model_not_found', message: '' },
  conflict: {
    status: 409,
    type: request,
    code: 'conflict',
    message: 'The resource is being changed by another request. Please try again.',
  },
  rate_limit_exceeded: {
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message:
      'Rate limit reached for gpt-5-nano in organization org-altests on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to learn more.',
    headers: {
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '20s',
    },
  },
  insufficient_quota: {
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message:
      'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
  },
  server_error: {
    status: 500,
    type: 'server_error',
    code: null,
    message:
      'The server had an error while processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if the error persists.',
  },
  overloaded: {
    status: 503,
    type: 'server_error',
    code: null,
    message:
      'The server is currently overloaded with other requests. Sorry about that! Please try again later.',
  },
}

const nameByStatus: Record<number, ErrorName> = {
  400: 'invalid_request',
  401: 'invalid_api_key',
  403: 'missing_scope',
  404: 'model_not_found',
  409: 'conflict',
  429: 'rate_limit_exceeded',
  500: 'server_error',
  503: 'overloaded',
}

/** An answer that is an error; thrown by the handlers, written by the server. */
export class WireError extends Error {
  readonly status: number
  readonly body: Body
  readonly headers: Record<string, string>
  constructor(spec: ErrorSpec) {
    super(spec.message)
    this.status = spec.status
    this.headers = spec.headers ?? {}
    const { message, type = request, param = null, code = null } = spec
    this.body = { error: { message, type, param, code } }
  }
}

/** Shows a key as OpenAI does in its message: the first eight and the last four characters. */
function maskKey(key: string): string {
  return key.length <= 12 ? key : key.slice(0, 8) + '*'.repeat(key.length - 12) + key.slice(-4)
}

/** The 401 for a key that is not known, or for none. */
export function keyError(key: string): WireError {
  const where = 'https://platform.openai.com/account/api-keys.'
  const headers = { 'www-authenticate': 'Bearer realm="OpenAI API"' }
  if (key !== '') {
    const message = `Incorrect API key provided: ${maskKey(key)}. You can find your API key at ${where}`
    return new WireError({ status: 401, code: 'invalid_api_key', message, headers })
  }
  const message = `You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from ${where}`
  return new WireError({ status: 401, message, headers })
}

/** The error for a model that is not known: 400 with `param` on `/responses`, else 404. */
export function modelError(model: string, path: string): WireError {
  if (path.startsWith('/v1/responses')) {
    const message = `The requested model '${model}' does not exist.`
    return new WireError({ status: 400, code: 'model_not_found', param: 'model', message })
  }
  const message = `The model \`${model}\` does not exist or you do not have access to it.`
  return new WireError({ status: 404, code: 'model_not_found', message })
}

/** A 400 that names the parameter at fault. */
export function badRequest(message: string, param: string | null, code: string | null = null): WireError {
  return new WireError({ status: 400, message, param, code })
}

/** A 404 for a thing that is not, or no longer, there. */
export function notFound(message: string, param: string | null = null): WireError {
  return new WireError({ status: 404, message, param })
}

/** The error that a script asks for, on a request with this key, model and path. */
export function scriptedError(script: Script, key: string, model: string, path: string): WireError {
  const { error = 500, retryAfterSeconds } = script
  if (typeof error === 'object') return new WireError(error)
  const name = typeof error === 'number' ? nameByStatus[error] : error
  if (name === undefined) {
    return new WireError({ status: Number(error), type: 'server_error', message: `Status ${error}` })
  }
  if (name === 'invalid_api_key') return keyError(key)
  if (name === 'model_not_found') return modelError(model, path)
  const spec = catalogue[name]
  const retry = retryAfterSeconds ?? (name === 'rate_limit_exceeded' ? 20 : undefined)
  const headers = retry === undefined ? spec.headers : { ...spec.headers, 'retry-after': String(retry) }
  return new WireError({ ...spec, headers })
}
