import { setTimeout as sleep } from 'node:timers/promises'
import { asAppError } from '../errors'
import { log } from '../log'
import { parseJson } from '../providers'
import { goesOn } from './asked'
import type { Call } from './call'
import type { Exchange, How } from './exchange'
import { ItemSpotter, itemIdsOf } from './items'
import type { Keeping } from './kept'
import { type Line, settle } from './ledger'
import { openBill, settleOpen } from './open-bills'
import { insertItemRows, insertUpstreamRow } from './response-rows'
import { watchResponse } from './watch'

/** OpenAI names its responses so. It stands in the first event of a stream, and near the beginning of a whole one. */
const idPattern = /"id"\s*:\s*"(resp[-_][\w-]{1,200})"/
const maxPreludeBytes = 256 * 1024
/** Who reads an answer is done with what has come of it after this long. */
const longestReadMs = 30_000

/** A response that a model server keeps: whose it is, and what it used, are written down here. */
export class UpstreamResponse implements Keeping {
  readonly #call: Call
  readonly #exchange: Exchange
  readonly #line: Line
  readonly #named = Promise.withResolvers<string | null>()
  readonly #spotter = new ItemSpotter()
  #prelude: Buffer | null = Buffer.alloc(0)
  #id: string | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(call: Call, exchange: Exchange, line: Line) {
    this.#call = call
    this.#exchange = exchange
    this.#line = line
  }

  /** Fires once it is written down whose it is, or nothing more comes that could name it. */
  get named(): Promise<unknown> {
    return this.#named.promise
  }

  /** Writes down whose a whole answer is before its maker is told of it. */
  async keepWhole(bytes: Uint8Array): Promise<void> {
    await this.#learn(bytes)
    this.#named.resolve(this.#id)
    if (this.#id === null) return
    const ids = itemIdsOf(parseJson(Buffer.from(bytes).toString()))
    await insertItemRows(this.#id, ids, this.#exchange.target.key)
  }

  /** The same for a stream: the piece that names the response waits until it is written down, as what follows an item does. */
  keepStream(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    const next = () => this.#next(reader)
    return new ReadableStream(
      {
        pull: async (controller) => {
          const { done, value } = await next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: async (reason) => {
          if (this.#isBackground) await this.#readName(next)
          this.#named.resolve(this.#id)
          await reader.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Writes down what it used, or has it asked for where that is told only at the end in the background. Never throws. */
  async settle(how: How): Promise<void> {
    if (!this.#isBackground) return settle(this.#line, this.#exchange.meter, how)
    const id = await Promise.race([this.#named.promise, sleep(longestReadMs, null, { ref: false })])
    const usage = this.#exchange.meter.usage()
    if (id === null) return settle(this.#line, this.#exchange.meter, how)
    if (usage !== null) await settleOpen(id, { usage, outcome: 'completed' })
    else watchResponse(id)
  }

  get #isBackground(): boolean {
    return goesOn(this.#call.question)
  }

  async #next(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      await this.#writing
      const piece = await reader.read()
      if (piece.done) this.#named.resolve(this.#id)
      else await this.#take(piece.value)
      return piece
    } catch (error) {
      this.#named.resolve(this.#id)
      throw error
    }
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const ids = this.#spotter.take(bytes)
    if (this.#prelude !== null) await this.#learn(bytes)
    if (this.#id === null || ids.length === 0) return
    const id = this.#id
    this.#writing = insertItemRows(id, ids, this.#exchange.target.key).catch((err) =>
      log().warn({ err: asAppError(err), responseId: id }, 'the items of a response were not written down'),
    )
  }

  /** Looks for the name in what has come so far. */
  async #learn(bytes: Uint8Array): Promise<void> {
    const beginning = Buffer.concat([this.#prelude ?? Buffer.alloc(0), bytes.subarray(0, maxPreludeBytes)])
    const id = idPattern.exec(beginning.toString('latin1'))?.[1] ?? null
    this.#prelude = id === null && beginning.length < maxPreludeBytes ? beginning : null
    if (id === null) return
    const { bill = null, count = null } = this.#isBackground ? this.#openBill() : {}
    const isNew = await insertUpstreamRow(this.#call, this.#exchange.target, { id, bill, count })
    this.#id = isNew ? id : null
    this.#named.resolve(this.#id)
  }

  /** Nobody listens any more, but what goes on in the background has to be known by name. */
  async #readName(next: () => Promise<{ done: boolean }>): Promise<void> {
    while (this.#prelude !== null) {
      const { done } = await next().catch(() => ({ done: true }))
      if (done) return
    }
  }

  #openBill() {
    const { elapsedMs, firstByteMs } = this.#exchange.meter
    return openBill(this.#line, { startedAt: new Date(Date.now() - elapsedMs), firstTokenMs: firstByteMs })
  }
}
