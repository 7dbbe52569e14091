import type { AppError } from '../errors'
import { explainRefusal, type Forwarded, type ModelKey, readRetryAfter, redact } from '../providers'

/** As much of an error's body is read. */
const maxErrorBytes = 65_536

/** OpenAI names organizations and projects in what it says of limits. */
const accountNames = /\b(?:org-|proj_)[\w-]+/g

/** What a model server said against a call. */
export type Refusal = {
  status: number
  error: { message: string; type: string; param: string | null; code: string | null }
  code: string | null
  /** The server says that trying again is of no use. */
  isFinal: boolean
  /** How long to wait before another try, if it says. */
  retryAfterMs: number | null
}

/**
 * An upstream error as the caller may see it: status, type, param and code as they came, and the message without the
 * key that was used, of which the caller knows nothing. `cause` is what it means to those who keep the key.
 */
export async function readRefusal(
  key: ModelKey,
  answer: Forwarded,
  translate: (status: number, body: unknown) => { status: number; body: unknown } = asItIs,
): Promise<{ refusal: Refusal; cause: AppError }> {
  const { status, body } = translate(answer.status, parse(await readBeginning(answer.body)))
  const error = tellRefusal(key, status, body)
  const refusal = {
    status,
    error,
    code: error.code,
    isFinal: answer.headers['x-should-retry'] === 'false',
    retryAfterMs: readRetryAfter(answer.headers),
  }
  return { refusal, cause: explainRefusal(key, status, body) }
}

const asItIs = (status: number, body: unknown) => ({ status, body })

/** What a server says in place of an answer, as the caller may see it. */
export function tellRefusal(key: ModelKey, status: number, body: unknown): Refusal['error'] {
  const said = errorIn(body)
  const text = (name: string) => (typeof said[name] === 'string' ? (said[name] as string) : null)
  const message = redact(text('message'), key)?.replaceAll(accountNames, '•••')
  return {
    message: message ?? `The model server refused the request with status ${status}.`,
    type: text('type') ?? (status >= 500 ? 'server_error' : 'invalid_request_error'),
    param: redact(text('param'), key),
    code: redact(text('code'), key),
  }
}

function errorIn(body: unknown): Record<string, unknown> {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null
  if (!isObject(body)) return {}
  return isObject(body.error) ? body.error : body
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function readBeginning(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size >= maxErrorBytes) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
