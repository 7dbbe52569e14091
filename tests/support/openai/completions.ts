import { deltasBefore, deltasBeforeFailure, serverFault } from './ends.ts'
import { snapshotOf } from './models.ts'
import type { Frame } from './production.ts'
import { countTokens } from './text.ts'
import type { Body, Script } from './types.ts'
import { encodeLine, makeShortId, nowSeconds } from './wire.ts'

type NewFrame = Omit<Frame, 'before'>

/** A legacy completion laid out: the same text for every choice. */
export type CompletionAnswer = {
  head: Body
  model: string
  pieces: string[]
  choices: number
  finish: 'stop' | 'length'
  usage: Body
  deltas: number
  failsAfter?: number
}

/** Lays out a legacy completion of these pieces; without `max_tokens` 16 of them, as OpenAI does. */
export function planCompletion(request: Body, script: Script, all: string[]): CompletionAnswer {
  const most = Number(request.max_tokens ?? (script.text === undefined ? 16 : all.length))
  const limit = script.end === 'incomplete' ? Math.min(most, deltasBefore(script, all.length)) : most
  const pieces = all.slice(0, limit)
  const choices = Number(request.n ?? 1)
  const deltas = pieces.length * choices
  const short = script.end === 'incomplete' || pieces.length < all.length
  const prompt = script.usage?.input ?? countTokens(request.prompt)
  const completion = script.usage?.output ?? deltas
  return {
    head: { id: `cmpl-${makeShortId('', 29)}`, object: 'text_completion', created: nowSeconds() },
    model: snapshotOf(String(request.model)),
    pieces,
    choices,
    finish: short ? 'length' : 'stop',
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
    deltas,
    failsAfter: deltasBeforeFailure(script, deltas),
  }
}

/** Builds the body of a whole legacy completion. */
export function wholeCompletion(answer: CompletionAnswer): Body {
  const choices = Array.from({ length: answer.choices }, (_, index) => ({
    text: answer.pieces.join(''),
    index,
    logprobs: null,
    finish_reason: answer.finish,
  }))
  return { ...answer.head, model: answer.model, choices, usage: answer.usage }
}

/** The chunks of a legacy completion; the last piece carries the `finish_reason`. */
export class CompletionStream {
  private readonly request: Body
  private readonly script: Script
  private readonly answer: CompletionAnswer

  constructor(request: Body, script: Script, answer: CompletionAnswer) {
    this.request = request
    this.script = script
    this.answer = answer
  }

  *frames(): Generator<NewFrame> {
    const { pieces, choices, failsAfter = Number.POSITIVE_INFINITY } = this.answer
    let deltas = 0
    for (const [at, piece] of pieces.entries()) {
      for (let index = 0; index < choices; index += 1) {
        if (deltas >= failsAfter) return yield this.failure()
        deltas += 1
        yield { ...this.piece(index, piece, at === pieces.length - 1), delta: true }
      }
    }
    if (this.answer.failsAfter !== undefined) return yield this.failure()
    yield* this.closing()
  }

  private piece(index: number, text: string, last: boolean): NewFrame {
    const finish_reason = last ? this.answer.finish : null
    const usage = this.wantsUsage ? { usage: null } : {}
    const choices = [{ text, index, logprobs: null, finish_reason }]
    return this.frame({ ...this.answer.head, choices, model: this.answer.model, ...usage })
  }

  private *closing(): Generator<NewFrame> {
    const { head, model, usage } = this.answer
    if (this.wantsUsage) yield { ...this.frame({ ...head, model, usage, choices: [] }), terminal: true }
    if (this.script.end !== 'no_done') yield { sse: 'data: [DONE]\n\n', terminal: true }
  }

  private failure(): NewFrame {
    const { type = 'server_error', code, message } = this.script.failure ?? serverFault
    return { ...this.frame({ error: { message, type, param: null, code } }), terminal: true }
  }

  private frame(body: Body): NewFrame {
    return { sse: `data: ${encodeLine(body)}\n\n` }
  }

  private get wantsUsage(): boolean {
    return (this.request.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true
  }
}
