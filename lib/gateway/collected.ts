/** An answer, and whether all of it has come once its body is over. */
export type Answer = {
  response: Response
  isWhole: () => boolean
  /** The response whose events it is: they can be told again from the first one on. */
  runId?: string
}

type Keeping = {
  /** With more bytes than this, nothing is kept. */
  maxBytes: number
  /** All bytes, before the reader is told of the end; null where there are too many. */
  whole(bytes: Buffer | null): Promise<void>
  /** The answer broke off, or its reader went away. */
  lost(): Promise<void> | undefined
}

/** The same answer, of which a copy is kept once it is whole. */
export function collect({ response, isWhole }: Answer, keeping: Keeping): Answer {
  const { status, headers } = response
  const reader = response.body?.getReader()
  if (!reader) return { response, isWhole }
  const copy = new Copy(keeping.maxBytes)
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) {
            copy.add(value)
            return controller.enqueue(value)
          }
          if (isWhole()) await keeping.whole(copy.bytes())
          else await keeping.lost()
          controller.close()
        } catch (error) {
          await keeping.lost()
          controller.error(error)
        }
      },
      cancel: (reason) => {
        void keeping.lost()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { response: new Response(body, { status, headers }), isWhole }
}

class Copy {
  readonly #maxBytes: number
  #chunks: Uint8Array[] | null = []
  #size = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.byteLength
    if (this.#size > this.#maxBytes) this.#chunks = null
    this.#chunks?.push(chunk)
  }

  bytes(): Buffer | null {
    return this.#chunks && Buffer.concat(this.#chunks)
  }
}
