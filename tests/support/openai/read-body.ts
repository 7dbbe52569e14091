import type { IncomingMessage } from 'node:http'
import { badRequest, WireError } from './errors.ts'
import { parseMultipart } from './multipart.ts'
import type { Body } from './types.ts'

/** Reads a body; over the limit in bytes it is a 413. */
export async function readBytes(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= limitBytes) chunks.push(chunk)
  }
  if (size <= limitBytes) return Buffer.concat(chunks)
  throw new WireError({ status: 413, message: `Maximum content size limit (${limitBytes}) exceeded.` })
}

/** What the journal keeps of a body: JSON parsed, a form as its fields, else the text. */
export function describeBody(raw: Buffer, contentType: string): unknown {
  if (raw.length === 0) return undefined
  if (contentType.startsWith('multipart/form-data')) return describeForm(raw, contentType)
  try {
    return JSON.parse(raw.toString())
  } catch {
    return raw.toString()
  }
}

function describeForm(raw: Buffer, contentType: string): Body {
  const parts = parseMultipart(raw, contentType)
  return Object.fromEntries(
    parts.map(({ name, filename, bytes }) => [
      name,
      filename === undefined ? bytes.toString() : { filename, bytes: bytes.length },
    ]),
  )
}

/** The JSON object that a call was sent; a 400 when it is none. */
export function requireObject(described: unknown, method: string, contentType: string): Body {
  if (method !== 'POST' || contentType.startsWith('multipart/')) return {}
  if (described === undefined) return {}
  if (typeof described === 'object' && described !== null && !Array.isArray(described)) {
    return described as Body
  }
  const message =
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)"
  throw badRequest(message, null)
}
