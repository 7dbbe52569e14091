import { CallBook } from './calls'
import { type CallPiece, choiceIn, type Delta, faultIn, readDelta } from './chat-answer'
import { asText, isObject, type JsonObject } from './json'
import { type Emit, MessageItem, type OutputItem, ReasoningItem } from './output-items'
import { makeResponse, type ResponseOrigin, type Standing, toResponseUsage } from './response-object'
import { unitsOf } from './thinking'
import { customToolsOf } from './tools'

/** An event of a Response's stream, numbered from 0. */
export type ResponseEvent = JsonObject & { type: string; sequence_number: number }

/** What went wrong with an answer, as its reader is told. */
export type StreamFault = { type: string; code: string | null; message: string; param: string | null }

/** As much text is taken for one answer, in UTF-16 units; each piece costs something besides. */
const maxAnswerUnits = 10 * 1024 * 1024
const pieceUnits = 32

const reasons = new Map<string, 'max_output_tokens' | 'content_filter'>([
  ['length', 'max_output_tokens'],
  ['max_tokens', 'max_output_tokens'],
  ['content_filter', 'content_filter'],
])

function serverFault(message: string): StreamFault {
  return { type: 'server_error', code: 'server_error', message, param: null }
}

const queuedEvents = 2

/** The first two events of a Response in the background, of which its stream then tells the rest. */
export function queueResponse(origin: ResponseOrigin): ResponseEvent[] {
  const response = makeResponse(origin, { status: 'queued', output: [] })
  return ['response.created', 'response.queued'].map((type, index) => ({
    type,
    response,
    sequence_number: index,
  }))
}

/** The events of a Response, made from the chunks of a chat completion. */
export class ResponseStream {
  readonly #origin: ResponseOrigin
  readonly #explain: (said: unknown) => StreamFault
  readonly #customTools: Set<string>
  readonly #calls = new CallBook()
  readonly #items: OutputItem[] = []
  /** What the model is saying or thinking; another item may begin before its calls end, but not before this does. */
  #speech: MessageItem | ReasoningItem | null = null
  /** Citations of a text that has not begun. */
  readonly #citations: JsonObject[] = []
  #events: ResponseEvent[] = []
  #sequence = 0
  #units = 0
  #finish: string | null = null
  readonly #told: Pick<Standing, 'model' | 'tier' | 'usage'> = {}
  #response: JsonObject
  #state: 'new' | 'running' | 'over' = 'new'

  /**
   * `explain` makes of what a server says instead of answering what the reader may know of it; without it that is only
   * that the server failed.
   */
  constructor(
    origin: ResponseOrigin,
    explain: (said: unknown) => StreamFault = () => serverFault('The model server failed as it answered.'),
  ) {
    this.#origin = origin
    this.#explain = explain
    this.#customTools = customToolsOf(origin.request)
    this.#response = makeResponse(origin, { status: 'in_progress', output: [] })
    if (origin.isQueued) this.#sequence = queuedEvents
  }

  /** The Response as it stands after the last event that tells it whole. */
  get response(): JsonObject {
    return this.#response
  }

  /** True after the last event. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** The first two events, for those who do not want to wait for a chunk; `take`, `end` and `fail` send them, too. */
  begin(): ResponseEvent[] {
    this.#begin()
    return this.#flush()
  }

  /** The events that a chunk makes, or a whole completion; one that is an error fails the Response. */
  take(chunk: JsonObject): ResponseEvent[] {
    if (this.isOver) return []
    this.#learn(chunk)
    this.#begin()
    try {
      this.#read(chunk)
    } catch {
      // Arguments that come as an object may be too deep to be written.
      this.#fail(serverFault('The model server sent something that is no answer.'))
    }
    return this.#flush()
  }

  /**
   * The events that end the Response when the server's answer is over. An answer that never said why it ends was cut
   * off, unless the server said that it is whole, with `[DONE]`.
   */
  end(saidDone = false): ResponseEvent[] {
    if (this.isOver) return []
    this.#begin()
    if (this.#finish === null && !saidDone)
      this.#fail(serverFault('The model server ended its answer before it was whole.'))
    else this.#complete(reasons.get(this.#finish ?? ''))
    return this.#flush()
  }

  /** The events that end the Response when it cannot go on: `error`, then `response.failed` with what had come. */
  fail(fault: StreamFault): ResponseEvent[] {
    if (this.isOver) return []
    this.#begin()
    this.#fail(fault)
    return this.#flush()
  }

  /** Ends without another event, and gives the Response as one that was cancelled, with what had come. */
  cancel(): JsonObject {
    if (!this.isOver) this.#settle({ status: 'cancelled', output: this.#unfinished() })
    return this.#response
  }

  readonly #emit: Emit = (type, fields) => {
    this.#events.push({ type, ...fields, sequence_number: this.#sequence++ })
  }

  #flush(): ResponseEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }

  #begin(): void {
    if (this.#state !== 'new') return
    this.#state = 'running'
    this.#response = makeResponse(this.#origin, {
      ...this.#told,
      usage: null,
      status: 'in_progress',
      output: [],
    })
    if (!this.#origin.isQueued) this.#emit('response.created', { response: this.#response })
    this.#emit('response.in_progress', { response: this.#response })
  }

  #learn(chunk: JsonObject): void {
    const told = this.#told
    told.model ??= asText(chunk.model) || undefined
    told.tier = asText(chunk.service_tier) || told.tier
    if (isObject(chunk.usage)) told.usage = toResponseUsage(chunk) ?? told.usage
  }

  #read(chunk: JsonObject): void {
    const fault = faultIn(chunk)
    const choice = choiceIn(chunk)
    if (fault !== undefined) this.#fail(this.#explain(fault))
    else if (choice) this.#hear(choice)
  }

  #hear(choice: JsonObject): void {
    const delta = readDelta(choice)
    this.#weigh(delta)
    if (this.isOver) return
    this.#tell(delta)
    for (const piece of delta.calls) this.#call(piece)
    this.#finish = asText(choice.finish_reason) || this.#finish
  }

  #weigh({ reasoning, text, refusal, calls, annotations, logprobs, thinking }: Delta): void {
    const spoken = reasoning.length + text.length + refusal.length
    const called = calls.reduce((sum, piece) => sum + piece.text.length + piece.name.length + pieceUnits, 0)
    this.#units +=
      spoken +
      called +
      unitsOf(thinking) +
      (annotations.length + logprobs.length + thinking.length + 1) * pieceUnits
    if (this.#units > maxAnswerUnits)
      this.#fail(serverFault('The answer of the model server grew beyond 10 MB and was ended.'))
  }

  #tell({ reasoning, text, refusal, annotations, logprobs, thinking }: Delta): void {
    if (reasoning !== '') this.#reasoning().think(reasoning)
    if (thinking.length > 0) this.#reasoning().keep(thinking)
    if (text !== '' || (logprobs.length > 0 && this.#telling())) this.#message().say(text, logprobs)
    this.#citations.push(...annotations)
    const telling = this.#telling()
    if (telling) for (const annotation of this.#citations.splice(0)) telling.annotate(annotation)
    if (refusal !== '') this.#message().refuse(refusal)
  }

  #telling(): MessageItem | null {
    return this.#speech instanceof MessageItem && this.#speech.isTelling ? this.#speech : null
  }

  #reasoning(): ReasoningItem {
    if (this.#speech instanceof ReasoningItem) return this.#speech
    const item = new ReasoningItem(this.#place())
    this.#items.push(item)
    this.#speech = item
    return item
  }

  #message(): MessageItem {
    if (this.#speech instanceof MessageItem) return this.#speech
    const item = new MessageItem(this.#place())
    this.#items.push(item)
    this.#speech = item
    return item
  }

  #call(piece: CallPiece): void {
    const call = this.#calls.take(piece)
    if (call.isKnown && !call.isAnnounced) this.#items.push(call.announce(this.#place(), this.#customTools))
  }

  /** Room for the next item, before which what was being said ends. */
  #place() {
    this.#speech?.close('completed')
    this.#speech = null
    return { index: this.#items.length, emit: this.#emit }
  }

  #complete(reason: Standing['reason']): void {
    for (const call of this.#calls.unannounced())
      this.#items.push(call.announce(this.#place(), this.#customTools))
    // Who reads the first text of an answer finds one, though it says nothing.
    if (reason === undefined && !this.#items.some((item) => !(item instanceof ReasoningItem)))
      this.#message().say('', [])
    const last = this.#items.at(-1)
    for (const item of this.#items)
      item.close(reason !== undefined && item === last ? 'incomplete' : 'completed')
    const output = this.#items.map((item) => item.snapshot())
    const completedAt = reason === undefined ? Math.floor(Date.now() / 1000) : undefined
    const status = reason === undefined ? 'completed' : 'incomplete'
    this.#settle({ status, output, reason, completedAt })
    this.#emit(`response.${status}`, { response: this.#response })
  }

  #fail(fault: StreamFault): void {
    const { type, code, message, param } = fault
    this.#emit('error', { error: { type, code, message, param } })
    this.#settle({
      status: 'failed',
      output: this.#unfinished(),
      error: { code: code ?? 'server_error', message },
    })
    this.#emit('response.failed', { response: this.#response })
  }

  #unfinished(): JsonObject[] {
    return this.#items.map((item) => item.snapshot('incomplete'))
  }

  #settle(standing: Standing): void {
    this.#state = 'over'
    this.#response = makeResponse(this.#origin, { ...this.#told, ...standing })
  }
}

/** An event as it goes over the wire (WHATWG HTML, 9.2), named by its type, as OpenAI's are. */
export function writeResponseEvent(event: ResponseEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
