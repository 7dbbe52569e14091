import type { Actor } from '../auth'
import { sql } from '../db'
import { AppError } from '../errors'
import type { Call } from './call'
import type { Exchange } from './exchange'
import type { Question } from './question'

/** OpenAI names its responses so. It stands in the first event of a stream, and near the beginning of a whole one. */
const idPattern = /"id"\s*:\s*"(resp[-_][\w-]{1,200})"/
const maxPreludeBytes = 256 * 1024

/** Whose response this is; only its maker can name it in another call. Throws invalid_input for a stranger's. */
export async function requireOwnPrevious(actor: Actor, { path, body }: Question): Promise<void> {
  const previous = body.previous_response_id
  if (!path.startsWith('/responses') || typeof previous !== 'string') return
  if (await isOwn(actor, previous)) return
  const message = `Previous response with id '${previous.slice(0, 100)}' not found.`
  throw new AppError('invalid_input', message, {
    issues: [{ path: 'previous_response_id', message }],
    facts: { code: 'previous_response_not_found' },
  })
}

async function isOwn({ userId, boundTo }: Actor, id: string): Promise<boolean> {
  const found = await sql`
    SELECT 1 FROM gateway_responses
    WHERE id = ${id} AND user_id = ${userId}::uuid AND (${boundTo}::uuid IS NULL OR project_id = ${boundTo}::uuid)`
  return found.length > 0
}

/** Writes down whose a response is before its maker is told of it. */
export async function keepWhole(call: Call, exchange: Exchange, bytes: Uint8Array): Promise<void> {
  if (!isKept(call.question)) return
  const id = findId(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, maxPreludeBytes)))
  if (id !== null) await keep(call, exchange, id)
}

/** The same for a stream: the piece that names the response waits until it is written down. */
export function keepStream(
  call: Call,
  exchange: Exchange,
  body: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  if (!isKept(call.question)) return body
  const reader = body.getReader()
  let prelude: Buffer | null = Buffer.alloc(0)
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) return controller.close()
        if (prelude !== null) {
          prelude = Buffer.concat([prelude, value])
          const id = findId(prelude)
          if (id !== null) await keep(call, exchange, id)
          if (id !== null || prelude.length > maxPreludeBytes) prelude = null
        }
        controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function isKept({ path, body }: Question): boolean {
  return path === '/responses' && (body.store !== false || body.background === true)
}

function findId(beginning: Buffer): string | null {
  return idPattern.exec(beginning.toString('latin1'))?.[1] ?? null
}

async function keep({ actor, question }: Call, { target }: Exchange, id: string): Promise<void> {
  const { key, model } = target
  await sql`
    INSERT INTO gateway_responses
      (id, user_id, project_id, provider, source, credential_id, base_url, model, background)
    VALUES (${id}, ${actor.userId}::uuid, ${actor.boundTo}::uuid, ${key.provider}, ${key.source},
      ${key.credentialId}::uuid, ${key.baseUrl}, ${model ?? 'unknown'}, ${question.body.background === true})
    ON CONFLICT (id) DO NOTHING`
}
