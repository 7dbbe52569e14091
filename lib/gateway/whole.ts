import { AppError } from '../errors'
import type { Forwarded } from '../providers'

/** Reads an answer's body to its end, as text. Throws provider_failed for what is larger, or no UTF-8. */
async function readText({ body }: Forwarded, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > maxBytes) throw unreadable()
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** Reads an answer's JSON, and what it says. Throws provider_failed. */
export async function readAnswer(
  answer: Forwarded,
  maxBytes: number,
): Promise<{ text: string; value: unknown }> {
  const text = await readText(answer, maxBytes)
  try {
    return { text, value: JSON.parse(text) }
  } catch (cause) {
    throw unreadable(cause)
  }
}

function unreadable(cause?: unknown): AppError {
  return new AppError('provider_failed', 'The model server sent something that is no answer to this.', {
    cause,
  })
}
