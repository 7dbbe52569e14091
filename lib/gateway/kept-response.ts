import { parseJson } from '../providers'
import type { Call } from './call'
import type { Exchange, How } from './exchange'
import type { Keeping } from './kept'
import { inputItemsOf } from './kept-items'
import { insertKeptRow } from './kept-rows'
import { type Line, settle } from './ledger'
import { isObject, type JsonObject } from './translate/json'

const ends = ['response.completed', 'response.incomplete', 'response.failed']
const mark = /^event: (?:response\.(?:completed|incomplete|failed))\n/m

/** A response that its own server does not keep: it is kept here, whole, with what was asked. */
export class KeptResponse implements Keeping {
  readonly #call: Call
  readonly #exchange: Exchange
  readonly #line: Line

  constructor(call: Call, exchange: Exchange, line: Line) {
    this.#call = call
    this.#exchange = exchange
    this.#line = line
  }

  get named(): Promise<unknown> {
    return Promise.resolve()
  }

  /** Keeps it before its maker is told of it. */
  async keepWhole(bytes: Uint8Array): Promise<void> {
    await this.#keep(parseJson(Buffer.from(bytes).toString('utf8')))
  }

  /** The same for a stream: its last event, which holds all of it, waits until it is kept. */
  keepStream(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const keepEnd = (text: string) => this.#keepEnd(text)
    const decoder = new TextDecoder()
    return body.pipeThrough(
      new TransformStream({
        // A translation gives whole events.
        async transform(bytes, controller) {
          const text = decoder.decode(bytes, { stream: true })
          if (mark.test(text)) await keepEnd(text)
          controller.enqueue(bytes)
        },
      }),
    )
  }

  async settle(how: How): Promise<void> {
    await settle(this.#line, this.#exchange.meter, how)
  }

  async #keepEnd(text: string): Promise<void> {
    for (const event of text.split('\n\n')) {
      const data = event.slice(event.indexOf('data: ') + 6)
      const said = mark.test(event) ? parseJson(data) : null
      if (isObject(said) && ends.includes(String(said.type))) await this.#keep(said.response)
    }
  }

  async #keep(response: unknown): Promise<void> {
    if (!isObject(response)) return
    await insertKeptRow(this.#call, this.#exchange.target, {
      response,
      input: inputItemsOf(this.#call.question.body),
      previousId: textOf(this.#call.question.body, 'previous_response_id'),
    })
  }
}

function textOf(body: JsonObject, name: string): string | null {
  const value = body[name]
  return typeof value === 'string' ? value : null
}
