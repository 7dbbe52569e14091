import type { AppError } from '../errors'
import { explainRefusal, type Forwarded, type ModelKey, readRetryAfter, redact } from '../providers'

/** As much of an error's body is read. */
const maxErrorBytes = 65_536

/** A plain text in place of an error object is told up to this length. */
const longestText = 500

/** OpenAI names organizations and projects in what it says of limits. */
export const accountNames = /\b(?:org-|proj_)[\w-]+/g

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
  const text = (name: string) => {
    const value = said[name]
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null
  }
  const message = redact(text('message'), key)?.replaceAll(accountNames, '•••')
  return {
    message: message ?? `The model server refused the request with status ${status}.`,
    type: text('type') ?? (status >= 500 ? 'server_error' : 'invalid_request_error'),
    param: redact(text('param'), key)?.replaceAll(accountNames, '•••') ?? null,
    code: redact(text('code'), key),
  }
}

function errorIn(body: unknown): Record<string, unknown> {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null
  if (typeof body === 'string') return { message: body }
  if (!isObject(body)) return {}
  if (isObject(body.error)) return body.error
  // Ollama says `{"error": "…"}`, FastAPI `{"detail": "…"}`.
  const message = [body.error, body.message, body.detail].find((value) => typeof value === 'string')
  return { ...body, message }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A short plain text is the server's own words; a page of HTML says nothing to a program.
    return text.length <= longestText && !text.trimStart().startsWith('<') ? text.trim() || null : null
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
