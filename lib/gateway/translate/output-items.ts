import { type JsonObject, makeId } from './json'
import { packThoughts } from './thinking'

/** Sends an event of a Response's stream; who sends it numbers it. */
export type Emit = (type: string, fields: JsonObject) => void

/** Where an item stands in the output, and how it tells of itself. */
export type Place = { index: number; emit: Emit }

type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

/** One item of the output, from its beginning to its end. */
export abstract class OutputItem {
  abstract readonly id: string
  readonly #place: Place
  #status: ItemStatus = 'in_progress'

  constructor(place: Place) {
    this.#place = place
  }

  /** The item as far as it has come; one that has not ended is `openAs`. */
  snapshot(openAs: ItemStatus = 'in_progress'): JsonObject {
    return this.shape(this.#status === 'in_progress' ? openAs : this.#status)
  }

  /** Sends what ends the item, if it has not ended. */
  close(status: 'completed' | 'incomplete'): void {
    if (this.#status !== 'in_progress') return
    this.finish()
    this.#status = status
    const { index: output_index, emit } = this.#place
    emit('response.output_item.done', { item: this.snapshot(), output_index })
  }

  protected abstract shape(status: ItemStatus): JsonObject
  /** Ends what is open within the item. */
  protected abstract finish(): void

  protected add(): void {
    const { index: output_index, emit } = this.#place
    emit('response.output_item.added', { item: this.snapshot(), output_index })
  }

  protected emit(type: string, fields: JsonObject): void {
    const { index: output_index, emit } = this.#place
    emit(type, { ...fields, item_id: this.id, output_index })
  }
}

/**
 * What the model thought, told as a summary, though it is the thought itself: OpenAI's own models tell no more than
 * summaries, so that is what clients show; `reasoning_text` would be lost on most of them.
 */
export class ReasoningItem extends OutputItem {
  readonly id = makeId('rs')
  #text = ''
  readonly #thoughts: JsonObject[] = []
  #isBegun = false

  constructor(place: Place) {
    super(place)
    this.add()
  }

  think(delta: string): void {
    if (!this.#isBegun) this.emit('response.reasoning_summary_part.added', this.#part())
    this.#isBegun = true
    this.#text += delta
    this.emit('response.reasoning_summary_text.delta', { delta, summary_index: 0 })
  }

  /** Keeps thoughts as their server takes them back. */
  keep(thoughts: JsonObject[]): void {
    this.#thoughts.push(...thoughts)
  }

  protected shape(): JsonObject {
    const summary = this.#isBegun ? [this.#part().part] : []
    const sealed = this.#thoughts.length > 0 && { encrypted_content: packThoughts(this.#thoughts) }
    return { id: this.id, type: 'reasoning', content: [], ...sealed, summary }
  }

  protected finish(): void {
    if (!this.#isBegun) return
    this.emit('response.reasoning_summary_text.done', { summary_index: 0, text: this.#text })
    this.emit('response.reasoning_summary_part.done', this.#part())
  }

  #part() {
    return { part: { type: 'summary_text', text: this.#text }, summary_index: 0 }
  }
}

type MessagePart = {
  kind: 'text' | 'refusal'
  text: string
  annotations: JsonObject[]
  logprobs: JsonObject[]
}

function shapeOf({ kind, text, annotations, logprobs }: MessagePart): JsonObject {
  if (kind === 'refusal') return { type: 'refusal', refusal: text }
  return { type: 'output_text', annotations: [...annotations], logprobs: [...logprobs], text }
}

/** What the model says: parts of text and of refusal, one after the other. */
export class MessageItem extends OutputItem {
  readonly id = makeId('msg')
  readonly #parts: MessagePart[] = []

  constructor(place: Place) {
    super(place)
    this.add()
  }

  /** Adds to the text. Without a delta, the probabilities belong to what came before. */
  say(delta: string, logprobs: JsonObject[]): void {
    const part = this.#open('text')
    part.text += delta
    part.logprobs.push(...logprobs)
    if (delta !== '')
      this.emit('response.output_text.delta', { content_index: this.#parts.length - 1, delta, logprobs })
  }

  refuse(delta: string): void {
    this.#open('refusal').text += delta
    this.emit('response.refusal.delta', { content_index: this.#parts.length - 1, delta })
  }

  annotate(annotation: JsonObject): void {
    const part = this.#open('text')
    const annotation_index = part.annotations.push(annotation) - 1
    const content_index = this.#parts.length - 1
    this.emit('response.output_text.annotation.added', { annotation, annotation_index, content_index })
  }

  /** True while its text can go on. */
  get isTelling(): boolean {
    return this.#parts.at(-1)?.kind === 'text'
  }

  protected shape(status: ItemStatus): JsonObject {
    return { id: this.id, type: 'message', status, content: this.#parts.map(shapeOf), role: 'assistant' }
  }

  protected finish(): void {
    const part = this.#parts.at(-1)
    const content_index = this.#parts.length - 1
    if (part?.kind === 'refusal') this.emit('response.refusal.done', { content_index, refusal: part.text })
    else if (part)
      this.emit('response.output_text.done', { content_index, logprobs: part.logprobs, text: part.text })
    if (part) this.emit('response.content_part.done', { content_index, part: shapeOf(part) })
  }

  #open(kind: MessagePart['kind']): MessagePart {
    const last = this.#parts.at(-1)
    if (last?.kind === kind) return last
    this.finish()
    const part: MessagePart = { kind, text: '', annotations: [], logprobs: [] }
    const content_index = this.#parts.push(part) - 1
    this.emit('response.content_part.added', { content_index, part: shapeOf(part) })
    return part
  }
}

/** What is called, and how its input travels: as the model writes it, or unwrapped from it at the end. */
export type Called = { callId: string; name: string; as: 'function' | 'custom' | 'wrapped' }

const inputEvents = {
  function: 'response.function_call_arguments',
  custom: 'response.custom_tool_call_input',
  wrapped: 'response.custom_tool_call_input',
}

/** A call of a function or of a custom tool. */
export class CallItem extends OutputItem {
  readonly id: string
  readonly #called: Called
  readonly #unwrap: (text: string) => string
  #input = ''

  constructor(place: Place, called: Called, unwrap: (text: string) => string) {
    super(place)
    this.#called = called
    this.#unwrap = unwrap
    this.id = makeId(called.as === 'function' ? 'fc' : 'ctc')
    this.add()
  }

  write(delta: string): void {
    if (delta === '') return
    this.#input += delta
    if (this.#called.as !== 'wrapped') this.#tell(delta)
  }

  protected shape(status: ItemStatus): JsonObject {
    const { callId: call_id, name, as } = this.#called
    if (as === 'function')
      return { id: this.id, type: 'function_call', status, arguments: this.#input, call_id, name }
    const input = as === 'wrapped' ? this.#unwrap(this.#input) : this.#input
    return { id: this.id, type: 'custom_tool_call', status, call_id, input, name }
  }

  protected finish(): void {
    const { as, name } = this.#called
    // Who calls a function with nothing means no arguments, which clients want to read as JSON.
    if (as === 'function' && this.#input === '') this.write('{}')
    const input = as === 'wrapped' ? this.#unwrap(this.#input) : this.#input
    if (as === 'wrapped' && input !== '') this.#tell(input)
    this.emit(`${inputEvents[as]}.done`, as === 'function' ? { arguments: input, name } : { input })
  }

  #tell(delta: string): void {
    this.emit(`${inputEvents[this.#called.as]}.delta`, { delta })
  }
}
