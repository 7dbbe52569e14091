import { AppError, asAppError } from '../errors'
import type { Exchange } from './exchange'

/** A stream in the words of the call: as it comes where no translation is needed. */
export function translateStream({ answer, wire, meter }: Exchange): ReadableStream<Uint8Array> {
  if (!wire.translation) return answer.body
  const translator = wire.translation.stream(meter)
  const reader = answer.body.getReader()
  const encoder = new TextEncoder()
  let isOver = false
  return new ReadableStream(
    {
      async pull(controller) {
        // What a chunk says may be nothing yet; whoever pulls waits until something is said.
        while (!isOver) {
          let said: string
          try {
            const { done, value } = await reader.read()
            isOver = done
            said = done ? translator.end() : translator.take(value)
          } catch (error) {
            isOver = true
            said = translator.fail(asAppError(error))
            await reader.cancel().catch(() => undefined)
          }
          if (said !== '') controller.enqueue(encoder.encode(said))
          if (isOver) controller.close()
          if (said !== '') return
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** A whole answer in the words of the call. Throws provider_failed for what is none. */
export function translateWhole(
  { wire, meter }: Exchange,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (!wire.translation) return bytes
  const answer = parse(bytes)
  return Buffer.from(JSON.stringify(wire.translation.whole(answer, meter)))
}

function parse(bytes: Uint8Array): { [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as { [name: string]: unknown }
  } catch {
    // Told below: the parser's own words would quote the answer.
  }
  throw new AppError('provider_failed', 'The model server sent something that cannot be read as an answer.')
}
