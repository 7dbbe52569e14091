import { AppError } from '../../errors'
import { EventCutter, parseJson } from '../../providers'
import { isObject, type JsonObject } from './json'

/** Reads the chunks of a chat completion from the bytes of its stream. */
export class ChatEvents {
  #chunks: JsonObject[] = []
  #isDone = false
  #fault: unknown
  readonly #cutter = new EventCutter((text) => this.#take(text), oversized)

  /** True once the server said `[DONE]`; what comes after it is not read. */
  get isDone(): boolean {
    return this.#isDone
  }

  /**
   * The chunks that these bytes complete. Throws provider_failed for what is no chunk, and for an event of more than
   * 16 MB, once the chunks before it were given.
   */
  push(bytes: Uint8Array): JsonObject[] {
    return this.#read(() => this.#cutter.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
  }

  /** The body is over: the chunk that lacked only its empty line. Throws as `push`, and what that had yet to throw. */
  end(): JsonObject[] {
    return this.#read(() => this.#cutter.end())
  }

  #read(cut: () => void): JsonObject[] {
    try {
      if (this.#fault === undefined && !this.#isDone) cut()
    } catch (error) {
      this.#fault = error
    }
    const chunks = this.#chunks
    this.#chunks = []
    if (this.#fault !== undefined && chunks.length === 0) throw this.#fault
    return chunks
  }

  #take(text: string): void {
    if (this.#isDone) return
    if (text.trim() === '[DONE]') {
      this.#isDone = true
      return
    }
    const chunk = parseJson(text)
    if (!isObject(chunk)) throw unreadable()
    this.#chunks.push(chunk)
  }
}

function unreadable(): AppError {
  return new AppError('provider_failed', 'The model server sent something that is no answer.')
}

function oversized(): AppError {
  return new AppError('provider_failed', 'The model server sent far more than an answer needs.')
}
