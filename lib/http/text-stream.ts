import { asAppError } from '../errors'
import { logUnexpected } from './portal-error'

/**
 * A long text that is sent while it is made. The next piece is made when the reader has taken the last one, and none after
 * the reader has gone. A fault on the way breaks the answer off, so that nobody takes a part for the whole.
 */
export function textStream(pieces: AsyncIterator<string>, headers: Record<string, string>): Response {
  const encoder = new TextEncoder()
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      try {
        const { value, done } = await pieces.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      } catch (error) {
        logUnexpected(error, null)
        controller.error(asAppError(error))
      }
    },
    async cancel() {
      await pieces.return?.()
    },
  }
  return new Response(new ReadableStream(source, { highWaterMark: 0 }), { headers })
}
