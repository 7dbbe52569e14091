import type { ModelKey } from '../../lib/providers'
import { canary } from './model-call'

/** A key of Anthropic for the server at `baseUrl`. */
export function anthropicKey(baseUrl: string): ModelKey {
  return { provider: 'anthropic', apiKey: canary, baseUrl, last4: '9e77' }
}

/** The answer to a request of the Messages API, as its bytes in the pieces in which they came. */
export async function callMessages(
  baseUrl: string,
  body: object,
): Promise<{ status: number; bytes: Uint8Array[]; json: unknown; headers: Headers }> {
  const response = await fetch(`${baseUrl}/v1/messages`, {
    method: 'POST',
    headers: {
      'x-api-key': canary,
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  const bytes: Uint8Array[] = []
  try {
    for await (const piece of response.body ?? []) bytes.push(piece)
  } catch {
    // A connection that breaks has given what it has given.
  }
  const text = Buffer.concat(bytes).toString()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, bytes, json: isJson ? JSON.parse(text) : null, headers: response.headers }
}
