import { AppError } from '../../errors'
import { explainRefusal, type ModelKey, redact } from '../../providers'
import { isObject, textOf } from './json'

/** An error as OpenAI's clients know it. */
type ChatError = { message: string; type: string; param: string | null; code: string | null }
export type ChatRefusal = { status: number; error: ChatError }

type Words = { status: number; type: string; code?: string; param?: string }

/** Anthropic's kinds of errors and their statuses: https://platform.claude.com/docs/en/api/errors */
const kinds: Record<string, Words> = {
  invalid_request_error: { status: 400, type: 'invalid_request_error' },
  authentication_error: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key' },
  billing_error: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  permission_error: { status: 403, type: 'invalid_request_error', code: 'insufficient_permissions' },
  not_found_error: { status: 404, type: 'invalid_request_error', code: 'not_found' },
  conflict_error: { status: 409, type: 'invalid_request_error', code: 'conflict' },
  request_too_large: { status: 413, type: 'invalid_request_error', code: 'request_too_large' },
  rate_limit_error: { status: 429, type: 'requests', code: 'rate_limit_exceeded' },
  api_error: { status: 500, type: 'server_error' },
  timeout_error: { status: 504, type: 'server_error', code: 'timeout' },
  overloaded_error: { status: 503, type: 'server_error', code: 'server_is_overloaded' },
}

const kindsOfStatus: Record<number, string> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** What Anthropic says in words alone, and OpenAI has a code for. */
const sayings: [kinds: string[], said: RegExp, words: Words][] = [
  [
    ['invalid_request_error', 'rate_limit_error'],
    /credit balance|usage limits?\b|spend(?:ing)? limit/i,
    { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  ],
  [
    ['invalid_request_error'],
    /prompt is too long|exceeds? (?:the )?(?:context|maximum).{0,40}(?:window|length|tokens)/i,
    { status: 400, type: 'invalid_request_error', code: 'context_length_exceeded', param: 'messages' },
  ],
  [
    ['not_found_error'],
    /^model\b/i,
    { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' },
  ],
  [['rate_limit_error'], /\btokens\b/i, { status: 429, type: 'tokens', code: 'rate_limit_exceeded' }],
]

/** Organizations and workspaces are named in what Anthropic says of limits. */
const accountNames = /\b(?:wrkspc_\w+|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\b/gi

/**
 * An error of Anthropic's (`{ type: "error", error: { type, message }, request_id }`) as OpenAI's API would say it,
 * without the key or whose it is. `status` is null for one that came within a stream, which has none.
 */
export function toChatRefusal(key: ModelKey, status: number | null, body: unknown): ChatRefusal {
  const said = isObject(body) && isObject(body.error) ? body.error : {}
  const message = textOf(said, 'message')
  const kind = kindOf(textOf(said, 'type'), status)
  const [, , known] = sayings.find(([of, words]) => of.includes(kind) && words.test(message)) ?? []
  const words = known ?? kinds[kind] ?? wordsOfStatus(status ?? 500)
  return {
    status: words.status,
    error: {
      message:
        fitMessage(key, message) ?? `The model server refused the request with status ${words.status}.`,
      type: words.type,
      param: words.param ?? null,
      code: words.code ?? null,
    },
  }
}

function kindOf(type: string, status: number | null): string {
  return type in kinds ? type : (kindsOfStatus[status ?? 500] ?? '')
}

function wordsOfStatus(status: number): Words {
  return { status, type: status >= 500 ? 'server_error' : 'invalid_request_error' }
}

function fitMessage(key: ModelKey, message: string): string | null {
  return redact(message, key)?.replaceAll(accountNames, '•••') ?? null
}

/**
 * An `error` event in a stream as the end of it: what it means for who keeps the key, with OpenAI's words for it in
 * `facts.chatError` and its code in `facts.code`.
 */
export function toStreamError(key: ModelKey, body: unknown): AppError {
  const { error } = toChatRefusal(key, null, body)
  const meant = explainRefusal(key, null, body)
  const facts = { ...meant.facts, chatError: error, ...(error.code && { code: error.code }) }
  return new AppError(meant.code, meant.message, { cause: meant, facts })
}
