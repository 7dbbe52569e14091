/** So much of a body that was refused is read all the same, so that its sender gets to read the answer. */
const maxIgnoredBytes = 64 * 1024 * 1024
const maxIgnoringMs = 20_000

/** Who reads a request's body. */
export type BodyReader = ReadableStreamDefaultReader<Uint8Array>

/**
 * A connection that is closed with unread bytes takes the answer along, so they are read: 64 MB within 20 s at most.
 * Never throws.
 */
export async function ignoreRest(reader: BodyReader): Promise<void> {
  const endsAt = Date.now() + maxIgnoringMs
  try {
    for (let bytes = 0; bytes < maxIgnoredBytes && Date.now() < endsAt; ) {
      const { done, value } = await reader.read()
      if (done) return
      bytes += value.byteLength
    }
    await reader.cancel()
  } catch {
    // Who sent it is gone.
  }
}
