import { Answer, type Connect, type Connection } from '../../lib/providers/answer'
import type { Dialect, ModelCall, ModelEvent } from '../../lib/providers/port'
import type { UpstreamCall, UpstreamHead, UpstreamListener } from '../../lib/providers/upstream'
import { type Heard, hearAll } from './model-call'
import { beginResponse } from './openai/response-object'
import { ResponseStream } from './openai/response-stream'
import type { Script } from './openai/types'

/** What one connection brings: its head, its bytes in these pieces, and how it ends. */
export type Take = {
  status?: number
  headers?: UpstreamHead['headers']
  pieces: Buffer[]
  end: 'clean' | 'reset' | 'silence' | 'open'
}

/** Plays a take to the code that reads answers, as a connection would, but without a socket and as fast as it can. */
class TapeConnection implements Connection {
  readonly #take: Take
  readonly #listener: UpstreamListener
  #isOver = false
  #isPaused = false
  #next = -1

  constructor(take: Take, listener: UpstreamListener) {
    this.#take = take
    this.#listener = listener
  }

  open(): void {
    queueMicrotask(() => this.#turn())
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    queueMicrotask(() => this.#turn())
  }

  close(): void {
    this.#isOver = true
  }

  release(): void {
    this.#isOver = true
  }

  #turn(): void {
    while (!this.#isOver && !this.#isPaused && this.#next <= this.#take.pieces.length) this.#step()
  }

  #step(): void {
    const { status = 200, headers = { 'content-type': 'text/event-stream' }, pieces } = this.#take
    const at = this.#next++
    const piece = pieces[at]
    try {
      if (at === -1) this.#listener.head({ status, headers })
      else if (piece !== undefined) this.#listener.chunk(piece)
      else this.#finish()
    } catch (error) {
      this.#isOver = true
      this.#listener.fail(error as Error)
    }
  }

  #finish(): void {
    if (this.#take.end === 'open') return
    this.#isOver = true
    if (this.#take.end === 'clean') this.#listener.end()
    else if (this.#take.end === 'silence') this.#listener.expire('idle')
    else this.#listener.fail(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  }
}

/** Connections that bring what `takeFor` says; the calls are noted. */
export function connectToTape(takeFor: (call: UpstreamCall, calls: UpstreamCall[]) => Take): {
  connect: Connect
  calls: UpstreamCall[]
} {
  const calls: UpstreamCall[] = []
  const connect: Connect = (call, listener) => {
    calls.push(call)
    return new TapeConnection(takeFor(call, calls), listener)
  }
  return { connect, calls }
}

/** Listens to an answer whose connections are tapes. */
export function hearTape(call: ModelCall, dialect: Dialect, connect: Connect): Promise<Heard> {
  const events: AsyncIterable<ModelEvent> = new Answer(call, dialect, connect).outbox
  return hearAll(events)
}

/** The events of a background answer, framed; the place in the list is the `sequence_number`. */
export function recordFrames(script: Script): string[] {
  const request = { model: 'gpt-5-nano', input: 'Say something.', background: true, stream: true }
  const begun = beginResponse(`resp_${'0'.repeat(50)}`, 'gpt-5-nano', request)
  return [...new ResponseStream(begun, request, script).frames()].map(({ sse }) => sse)
}

/** What the provider that keeps these events answers a call: all of them, or those after a place. */
export function framesFor({ path }: UpstreamCall, frames: string[]): string[] {
  const after = /starting_after=(\d+)/.exec(path)?.[1]
  return after === undefined ? frames : frames.slice(Number(after) + 1)
}
