import type { ErrorBody } from '@/lib/contracts/primitives'

type Facts = { status: number; requestId?: string; retryAfterSeconds?: number }

/** What a call to `/api` failed with: `status` 0 and code `offline` mean that no answer came. */
export class RequestError extends Error {
  readonly status: number
  readonly code: string
  readonly issues: { path: string; message: string }[]
  readonly facts: Record<string, unknown>
  readonly requestId: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(error: Partial<ErrorBody['error']>, { status, requestId, retryAfterSeconds }: Facts) {
    super(error.message ?? sayStatus(status))
    this.name = 'RequestError'
    this.status = status
    this.code = error.code ?? 'internal'
    this.issues = error.issues ?? []
    this.facts = error.facts ?? {}
    this.requestId = error.request_id ?? requestId
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** The message for one field of the form, if the server named it. */
  issueOf(path: string): string | undefined {
    return this.issues.find((issue) => issue.path === path)?.message
  }
}

function sayStatus(status: number): string {
  if (status === 0)
    return 'AL-Chat did not answer. Nothing was changed here; check the connection and try again.'
  return `AL-Chat answered with status ${status} and no explanation. Try again in a moment.`
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Calls the portal's own API on the same origin with JSON in and out; 204 and 202 without a body give undefined.
 * Throws RequestError for every answer that is not 2xx and when there is none; an abort stays an AbortError.
 */
export async function request<T = void>(
  method: Method,
  url: string,
  body?: unknown,
  options: { signal?: AbortSignal; keepalive?: boolean } = {},
): Promise<T> {
  const response = await send(method, url, body, options)
  const answer = await readJson(response)
  if (response.ok) return answer as T
  throw new RequestError((answer as Partial<ErrorBody> | undefined)?.error ?? {}, {
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: readRetryAfter(response),
  })
}

async function send(method: Method, url: string, body: unknown, options: RequestInit): Promise<Response> {
  const headers: HeadersInit = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  try {
    return await fetch(url, {
      ...options,
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new RequestError({ code: 'offline' }, { status: 0 })
  }
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    // A proxy in between may answer with HTML; the status alone then says what happened.
    return undefined
  }
}

function readRetryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) ? seconds : undefined
}

/** Turns anything thrown into a RequestError, so that every page can show it in the same way. */
export function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  const message = error instanceof Error ? error.message : 'This page met an error that it does not know.'
  return new RequestError({ code: 'internal', message }, { status: 0 })
}
