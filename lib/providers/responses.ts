import { Bookmark, reasoningPartOf } from './bookmark'
import { messagesOf } from './continuation'
import { explainFault, readFault } from './faults'
import { at, listAt, parseJson, stringAt } from './json'
import { unreadable } from './mishaps'
import { responsesContent } from './parts'
import type { AnswerReader, AnswerSink, Dialect, Finish, ModelCall, Place } from './port'
import { readUsage } from './token-usage'

/** Events that say again, at length, what was or will be said elsewhere; they are not worth parsing. */
const repetitions = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.output_item.added',
  'response.output_item.done',
  'response.content_part.added',
  'response.content_part.done',
  'response.output_text.done',
  'response.refusal.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.done',
])
const typeFirst = '{"type":"'

/** The type of an event that is not parsed yet; empty where it does not stand first. */
function typeAtFront(data: string): string {
  if (!data.startsWith(typeFirst)) return ''
  return data.slice(typeFirst.length, data.indexOf('"', typeFirst.length))
}

function partsOf(response: unknown): unknown[] {
  return listAt(response, 'output').flatMap((item) => listAt(item, 'content'))
}

class ResponsesReader implements AnswerReader {
  readonly #call: ModelCall
  readonly #sink: AnswerSink
  readonly #bookmark: Bookmark | undefined
  #hasText: boolean
  #refused = false
  #isOver = false
  #reasoningPart = ''

  constructor(call: ModelCall, sink: AnswerSink) {
    this.#call = call
    this.#sink = sink
    this.#bookmark = call.background || call.resume ? new Bookmark(call.resume) : undefined
    this.#hasText = call.resume?.began ?? false
  }

  read(data: string): void {
    if (this.#isOver || data === '[DONE]') return
    // Where the answer can be resumed every event counts, for a new connection begins after the last one read.
    if (this.#bookmark === undefined && repetitions.has(typeAtFront(data))) return
    const event = parseJson(data)
    if (typeof event !== 'object' || event === null) throw unreadable({ ...this.#call, began: this.#hasText })
    if (this.#bookmark === undefined || this.#bookmark.take(event)) this.#understand(event)
  }

  end(): boolean {
    return this.#isOver
  }

  resumePoint(): Place | null {
    return this.#bookmark?.place ?? null
  }

  reopen(): void {
    this.#bookmark?.reopen()
  }

  #understand(event: object): void {
    switch (stringAt(event, 'type')) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        this.#learnName(event)
        break
      case 'response.output_item.added':
      case 'response.content_part.added':
      case 'response.reasoning_summary_part.added':
        this.#bookmark?.noteBeginning(event)
        break
      case 'response.refusal.delta':
        this.#refused = true
        this.#say(stringAt(event, 'delta'))
        break
      case 'response.output_text.delta':
        this.#say(stringAt(event, 'delta'))
        break
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        this.#think(event)
        break
      case 'response.completed':
      case 'response.incomplete':
        this.#finish(at(event, 'response'))
        break
      case 'response.failed':
      case 'response.cancelled':
        throw explainFault(this.#call, readFault(at(event, 'response'), null))
      case 'error':
        throw explainFault(this.#call, readFault(withoutType(event), null))
      case null:
        if (at(event, 'error')) throw explainFault(this.#call, readFault(event, null))
    }
  }

  #learnName(event: object): void {
    const name = this.#bookmark?.nameOf(event)
    if (name) this.#sink.resumable(name)
  }

  #say(delta: string | null): void {
    if (!delta) return
    this.#hasText = true
    this.#sink.text(delta, this.#bookmark?.cursor)
  }

  /** Parts of a summary are paragraphs, and nothing on the wire stands between them. */
  #think(event: object): void {
    const delta = stringAt(event, 'delta')
    if (!delta) return
    const part = reasoningPartOf(event)
    const isNext =
      this.#reasoningPart === ''
        ? this.#bookmark?.beginsParagraph(part) === true
        : this.#reasoningPart !== part
    this.#reasoningPart = part
    this.#sink.reasoning(isNext ? `\n\n${delta}` : delta, this.#bookmark?.cursor)
  }

  #finish(response: unknown): void {
    const parts = partsOf(response)
    this.#bookmark?.holdBack()
    // A server may send the whole at the end and no deltas before.
    if (!this.#hasText) for (const part of parts) this.#sayPart(part)
    // A reader that began in the middle has not seen all that was refused.
    if (parts.some((part) => stringAt(part, 'type') === 'refusal')) this.#refused = true
    this.#isOver = true
    this.#sink.done(readUsage(response), this.#finishOf(response))
  }

  #sayPart(part: unknown): void {
    const refusal = stringAt(part, 'refusal')
    if (refusal) this.#refused = true
    this.#say(stringAt(part, 'type') === 'output_text' ? stringAt(part, 'text') : refusal)
  }

  #finishOf(response: unknown): Finish {
    const reason = stringAt(response, 'incomplete_details', 'reason')
    if (reason === 'content_filter') return 'content_filter'
    if (reason !== null) return 'length'
    if (this.#refused) return 'refusal'
    const calls = listAt(response, 'output').some((item) => /_call$/.test(stringAt(item, 'type') ?? ''))
    return calls && !this.#hasText ? 'tool' : 'stop'
  }
}

/** A flat error has the event's own type where a nested one has the error's. */
function withoutType(event: object): object {
  return at(event, 'error') ? event : { ...event, type: undefined }
}

/** OpenAI's Responses API; only an answer in the background is stored at OpenAI, for it cannot be resumed else. */
export const responses: Dialect = {
  path: '/responses',
  canResume: true,
  requestBody: (call) => ({
    model: call.model,
    ...(call.instructions === '' ? {} : { instructions: call.instructions }),
    input: messagesOf(call).map((message) => ({ role: message.role, content: responsesContent(message) })),
    ...(call.temperature === null ? {} : { temperature: call.temperature }),
    ...(call.maxOutputTokens === null ? {} : { max_output_tokens: call.maxOutputTokens }),
    ...(call.reasoningEffort === null ? {} : { reasoning: { effort: call.reasoningEffort } }),
    ...(call.background ? { background: true } : {}),
    store: call.background === true,
    stream: true,
  }),
  openReader: (call, sink) => new ResponsesReader(call, sink),
}
