import { createEventStreamParser } from '@/components/live/event-stream'
import { RequestError } from '@/components/ui/request'

export type TokenCount = { input: number; cached: number; output: number }

/** What a piece of a streamed answer brings. */
export type CompletionPiece = { text?: string; tokens?: TokenCount; isEnd?: boolean }

type Refusal = { message?: unknown; code?: unknown; type?: unknown }
type Chunk = {
  error?: Refusal
  choices?: { delta?: { content?: unknown } }[]
  usage?: {
    prompt_tokens?: unknown
    completion_tokens?: unknown
    prompt_tokens_details?: { cached_tokens?: unknown }
  } | null
}

type Ask = {
  model: string
  text: string
  /** Reads the key to ask with; without it, the reader’s session asks. */
  readKey?: (() => string) | undefined
  signal: AbortSignal
}

/**
 * Asks the gateway and gives the answer, whose body `readCompletion` reads. Throws RequestError where it
 * is refused and when no answer came; an abort stays an AbortError.
 */
export async function askCompletion({ model, text, readKey, signal }: Ask): Promise<Response> {
  const body = {
    model,
    messages: [{ role: 'user', content: text }],
    stream: true,
    stream_options: { include_usage: true },
  }
  const response = await fetch('/v1/chat/completions', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(readKey && { authorization: `Bearer ${readKey()}` }),
    },
    credentials: readKey ? 'omit' : 'same-origin',
    body: JSON.stringify(body),
    cache: 'no-store',
    signal,
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new RequestError({ code: 'offline' }, { status: 0 })
  })
  if (!response.ok) throw await readRefusal(response)
  return response
}

async function readRefusal(response: Response): Promise<RequestError> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const said: unknown = await response.json().catch(() => undefined)
  return toError((said as Chunk | undefined)?.error, {
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  })
}

function toError(refusal: Refusal | undefined, facts: ConstructorParameters<typeof RequestError>[1]) {
  const { message, code, type } = refusal ?? {}
  const named = [code, type].find((name) => typeof name === 'string')
  return new RequestError(
    { ...(typeof message === 'string' && { message }), ...(named !== undefined && { code: String(named) }) },
    facts,
  )
}

/** The pieces of a streamed chat completion as they come. Throws RequestError for an error that comes in between. */
export async function* readCompletion(response: Response): AsyncGenerator<CompletionPiece> {
  const parser = createEventStreamParser()
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  while (reader) {
    const { done, value } = await reader.read()
    if (done) return
    for (const { data } of parser.push(value)) {
      const piece = readPiece(data, response)
      if (piece) yield piece
    }
  }
}

function readPiece(data: string, response: Response): CompletionPiece | null {
  if (data === '[DONE]') return { isEnd: true }
  const chunk = parse(data)
  if (chunk?.error) {
    const requestId = response.headers.get('x-request-id') ?? undefined
    throw toError(chunk.error, { status: response.status, requestId })
  }
  const text = chunk?.choices?.[0]?.delta?.content
  const { usage } = chunk ?? {}
  return {
    ...(typeof text === 'string' && { text }),
    ...(usage && {
      tokens: {
        input: toCount(usage.prompt_tokens),
        cached: toCount(usage.prompt_tokens_details?.cached_tokens),
        output: toCount(usage.completion_tokens),
      },
    }),
  }
}

const toCount = (given: unknown) => (typeof given === 'number' && Number.isFinite(given) ? given : 0)

function parse(data: string): Chunk | null {
  try {
    return JSON.parse(data) as Chunk | null
  } catch {
    return null
  }
}
