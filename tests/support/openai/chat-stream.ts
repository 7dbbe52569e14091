import { type ChatAnswer, type ChatCall, type ChatChoice, chatLogprobs } from './chat-shape.ts'
import { serverFault } from './ends.ts'
import type { Frame } from './production.ts'
import type { Body, Script } from './types.ts'
import { encodeLine, obfuscate } from './wire.ts'

type NewFrame = Omit<Frame, 'before'>

/** The chunks of one chat answer, in order; choices take turns, a delta each. */
export class ChatStream {
  private readonly request: Body
  private readonly script: Script
  private readonly answer: ChatAnswer
  private deltas = 0

  constructor(request: Body, script: Script, answer: ChatAnswer) {
    this.request = request
    this.script = script
    this.answer = answer
  }

  *frames(): Generator<NewFrame> {
    const { failsAfter = Number.POSITIVE_INFINITY, choices } = this.answer
    const turns = choices.map((choice) => this.choice(choice))
    const opened = choices.map((choice) => this.opening(choice))
    yield* opened
    yield* this.unknown()
    for (let open = turns; open.length > 0; ) {
      const made = open.map((turn) => turn.next())
      for (const { value } of made) {
        if (value === undefined) continue
        if (value.delta && this.deltas >= failsAfter) return yield this.failure()
        if (value.delta) this.deltas += 1
        yield value
      }
      open = open.filter((_, index) => made[index]?.done !== true)
    }
    if (this.answer.failsAfter !== undefined) return yield this.failure()
    yield* this.closing()
  }

  private opening({ index, calls, text, refusal }: ChatChoice): NewFrame {
    const content = calls.length > 0 && text.length + refusal.length === 0 ? null : ''
    return this.chunk(index, { role: 'assistant', content, refusal: null }, [])
  }

  private *choice(choice: ChatChoice): Generator<NewFrame, undefined> {
    const { index, text, reasoning, refusal, calls, finish } = choice
    for (const delta of reasoning) yield this.delta(index, { reasoning_content: delta }, delta)
    for (const delta of refusal) yield this.delta(index, { refusal: delta }, delta)
    for (const delta of text) yield this.delta(index, { content: delta }, delta)
    for (const [at, call] of calls.entries()) yield* this.call(index, at, call)
    yield { ...this.chunk(index, {}, [], finish), terminal: true }
    return undefined
  }

  private *call(index: number, at: number, call: ChatCall): Generator<NewFrame> {
    const { id, type, name, pieces } = call
    const [kind, field] = type === 'custom' ? ['custom', 'input'] : ['function', 'arguments']
    yield this.chunk(index, { tool_calls: [{ index: at, id, type, [kind]: { name, [field]: '' } }] }, [])
    for (const piece of pieces) {
      yield this.delta(index, { tool_calls: [{ index: at, [kind]: { [field]: piece } }] }, piece)
    }
  }

  private delta(index: number, delta: Body, text: string): NewFrame {
    const tokens = delta.content === undefined ? [] : [text]
    return { ...this.chunk(index, delta, tokens), delta: true }
  }

  private chunk(index: number, delta: Body, tokens: string[], finish: string | null = null): NewFrame {
    const logprobs = tokens.length === 0 ? null : chatLogprobs(this.request, tokens)
    return this.frame({ choices: [{ index, delta, logprobs, finish_reason: finish }] }, JSON.stringify(delta))
  }

  private *closing(): Generator<NewFrame> {
    yield* this.unknown()
    if (this.wantsUsage) yield this.frame({ choices: [], usage: this.answer.usage }, '')
    if (this.script.end !== 'no_done') yield { sse: 'data: [DONE]\n\n' }
  }

  private failure(): NewFrame {
    const { type = serverFault.type, code, message } = this.script.failure ?? serverFault
    const flat = { object: 'error', message, type, param: null, code }
    const body = this.script.end === 'error_flat' ? flat : { error: { message, type, param: null, code } }
    return { sse: `data: ${encodeLine(body)}\n\n`, terminal: true }
  }

  private *unknown(): Generator<NewFrame> {
    if (!this.script.unknownEvents) return
    const extra = this.frame({ choices: [], shimmer: { level: 1 } }, '')
    yield { sse: `: keep-alive\n\nevent: shimmer\nid: 7\nretry: 3000\n${extra.sse}` }
  }

  private frame(fields: Body, padded: string): NewFrame {
    const { id, created, model } = this.answer.head
    const options = this.request.stream_options as { include_obfuscation?: boolean } | undefined
    const usage = this.wantsUsage ? { usage: null } : {}
    const body = {
      ...{ id, object: 'chat.completion.chunk', created, model },
      ...{ service_tier: 'default', system_fingerprint: 'fp_al0test0', choices: [] },
      ...{ ...usage, ...fields },
      ...(options?.include_obfuscation === false ? {} : { obfuscation: obfuscate(padded) || 'x' }),
    }
    return { sse: `data: ${encodeLine(body)}\n\n` }
  }

  private get wantsUsage(): boolean {
    return (this.request.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true
  }
}
