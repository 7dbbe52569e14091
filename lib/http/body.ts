import { AppError } from '../errors'

const maxBodyBytes = 1024 * 1024

/** The JSON body, at most 1 MB. Throws unsupported_media_type, too_large, invalid_input. */
export async function readBody(request: Request): Promise<unknown> {
  return (await readJson(request)).value
}

/** The JSON body as it came and what it says, for who passes it on. Throws as `readBody`. */
export async function readJson(request: Request): Promise<{ bytes: Uint8Array; value: unknown }> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json' && !/^application\/[\w.+-]+\+json$/.test(type)) {
    throw new AppError('unsupported_media_type', 'Send JSON, with content-type: application/json.')
  }
  const bytes = await readBytes(request)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
    return { bytes, value: JSON.parse(text) }
  } catch (error) {
    throw new AppError('invalid_input', 'The body is not valid JSON in UTF-8.', { cause: error })
  }
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const declaredBytes = Number(request.headers.get('content-length') ?? 0)
  if (declaredBytes > maxBodyBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength
      if (size > maxBodyBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('invalid_input', 'The body ended too early.', { cause: error })
  }
  return Buffer.concat(chunks)
}

function tooLarge(): AppError {
  return new AppError('too_large', 'The body is larger than 1 MB.')
}
