import { type Answer, planAnswer } from './answer.ts'
import { serverFault } from './ends.ts'
import type { ItemPlan, Step } from './plan.ts'
import type { Frame } from './production.ts'
import { endResponse, responseUsage } from './response-object.ts'
import type { Body, Script } from './types.ts'
import { encodeLine, orderEvent } from './wire.ts'

type NewFrame = Omit<Frame, 'before'>

type FrameMarks = Pick<Frame, 'delta' | 'terminal' | 'thenMs'>

/** The events of one Response, in order; `body` is the Response as it stands. */
export class ResponseStream {
  body: Body
  private readonly request: Body
  private readonly script: Script
  private readonly answer: Answer
  private readonly output: Body[] = []
  private sequence = 0
  private deltas = 0

  constructor(body: Body, request: Body, script: Script) {
    this.body = body
    this.request = request
    this.script = script
    this.answer = planAnswer(request, script)
  }

  /** How many message deltas the answer has. */
  get deltaCount(): number {
    return this.answer.deltas
  }

  *frames(): Generator<NewFrame> {
    yield* this.opening()
    for (const [index, plan] of this.answer.plans.entries()) {
      if (yield* this.item(plan, index)) return yield* this.failure()
    }
    if (this.answer.failsAfter !== undefined) return yield* this.failure()
    yield* this.closing()
  }

  private *opening(): Generator<NewFrame> {
    if (this.body.background === true) this.body = { ...this.body, status: 'queued' }
    yield this.snapshot('response.created')
    if (this.body.background === true) {
      yield this.snapshot('response.queued', { thenMs: this.script.queuedMs ?? 0 })
      this.body = { ...this.body, status: 'in_progress' }
    }
    yield this.snapshot('response.in_progress')
    yield* this.unknown()
  }

  /** Yields the events of an item; `true` when the answer fails within it. */
  private *item(plan: ItemPlan, index: number): Generator<NewFrame, boolean> {
    const { failsAfter = Number.POSITIVE_INFINITY } = this.answer
    const place = { output_index: index }
    yield this.event('response.output_item.added', { ...place, item: plan.added })
    for (const step of plan.steps) {
      if (step.delta && this.deltas >= failsAfter) return true
      yield this.step(step, { ...place, item_id: plan.done.id })
      if (step.delta) yield* this.afterDelta()
    }
    yield this.event('response.output_item.done', { ...place, item: plan.done })
    this.output.push(plan.done)
    return false
  }

  private step(step: Step, place: Body): NewFrame {
    const options = this.request.stream_options as { include_obfuscation?: boolean } | undefined
    const { obfuscation, ...plain } = step.fields
    const hidden = obfuscation === undefined || options?.include_obfuscation === false
    const fields = hidden ? plain : { ...plain, obfuscation }
    return this.event(step.type, { ...fields, ...place }, { delta: step.delta })
  }

  private *afterDelta(): Generator<NewFrame> {
    this.deltas += 1
    if (this.deltas === 1) yield* this.unknown()
  }

  private *failure(): Generator<NewFrame> {
    const { type = serverFault.type, code, message } = this.script.failure ?? serverFault
    const flat = this.script.end === 'error_flat'
    const error = { type, code, message, param: null }
    if (flat) {
      this.finish({ status: 'failed', output: this.output, error: { code, message } })
      return yield this.event('error', { code, message, param: null }, { terminal: true })
    }
    if (this.script.end === 'error_nested') yield this.event('error', { error }, { terminal: true })
    this.finish({ status: 'failed', output: this.output, error: { code, message } })
    yield this.snapshot('response.failed', { terminal: true })
  }

  private *closing(): Generator<NewFrame> {
    yield* this.unknown()
    const status = this.answer.truncated ? 'incomplete' : 'completed'
    const usage = responseUsage(this.request, this.deltas, this.script)
    const reason = this.answer.truncated ? { reason: this.script.reason ?? 'max_output_tokens' } : {}
    this.finish({ status, output: this.output, usage, ...reason })
    yield this.snapshot(`response.${status}`, { terminal: true })
  }

  private finish(outcome: Parameters<typeof endResponse>[1]): void {
    this.body = endResponse(this.body, outcome)
  }

  /** Marks the Response as cancelled, with what is whole of its output. */
  cancel(): void {
    this.finish({ status: 'cancelled', output: this.output })
  }

  private *unknown(): Generator<NewFrame> {
    if (!this.script.unknownEvents) return
    const event = this.event('response.shimmer.updated', { shimmer: { level: this.sequence, note: null } })
    yield { sse: `: keep-alive\n\nid: ${this.sequence}\nretry: 3000\n${event.sse}` }
  }

  private snapshot(type: string, marks: FrameMarks = {}): NewFrame {
    return this.event(type, { response: this.body }, marks)
  }

  private event(type: string, fields: Body, marks: FrameMarks = {}): NewFrame {
    const event = orderEvent({ type, ...fields, sequence_number: this.sequence })
    this.sequence += 1
    return { sse: `event: ${type}\ndata: ${encodeLine(event)}\n\n`, ...marks }
  }
}
