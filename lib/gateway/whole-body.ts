/** A body that was read, up to a limit; `rest` is all of it where it is longer. */
export type WholeBody = { bytes: Uint8Array<ArrayBuffer>; rest: ReadableStream<Uint8Array> | null }

/** Reads a body of at most so many bytes; a longer one can still be streamed. Throws what the body breaks with. */
export async function readWhole(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<WholeBody> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return { bytes: Buffer.concat(chunks), rest: null }
    chunks.push(value)
    size += value.byteLength
    if (size > maxBytes) return { bytes: Buffer.alloc(0), rest: goOn(chunks, reader) }
  }
}

function goOn(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const first = chunks.shift()
        if (first) return controller.enqueue(first)
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
