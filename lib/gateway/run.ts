import { asAppError } from '../errors'
import { log } from '../log'
import { parseJson } from '../providers'
import { type Reservation, recordUsage, withUnseen } from '../usage'
import type { Asking, Outcome, Trial } from './asking'
import type { Call } from './call'
import { tellFault } from './chat-wire'
import type { Exchange } from './exchange'
import { noteKept } from './kept-quota'
import { billOf, countTokens, type Line, type Use, wasSent } from './ledger'
import { StreamMeter } from './meter'
import { estimateOutput } from './open-bills'
import { withPatience } from './patience'
import type { OpenBill } from './response-rows'
import { foldRun } from './run-fold'
import { RunLog } from './run-log'
import { endRun, type KeptEvent, markStarted, updateBill } from './run-rows'
import type { Target } from './targets'
import { asObject, type JsonObject } from './translate/json'
import type { ResponseOrigin } from './translate/response-object'
import { ResponseStream, type StreamFault } from './translate/stream'
import { translateStream, translateWhole } from './translation'
import { readWhole } from './whole-body'

/** Why a run ends before its server has said all. */
type Why = 'cancelled' | 'lost' | 'stopped'

export type RunStart = {
  call: Omit<Call, 'signal'>
  /** What is to be set aside for it is. */
  asking: Asking
  /** Ends what `asking` asks for. */
  abort: AbortController
  targets: Target[]
  origin: ResponseOrigin
  bill: OpenBill
  events: KeptEvent[]
}

const maxWholeBytes = 8 * 1024 * 1024
const terminalTypes = new Set(['response.completed', 'response.incomplete', 'response.failed'])
const outcomes: Record<string, Use['outcome']> = { failed: 'failed', cancelled: 'stopped' }

/** A translation always tells of an end; without one, whoever asks would wait for it. */
const brokenOff: StreamFault = {
  type: 'server_error',
  code: 'server_error',
  message: 'The answer of the model server broke off before its end.',
  param: null,
}

/** What a run ends with: the Response, and the event that says so, if one does. */
type Ending = { response: JsonObject; event: KeptEvent | null }

/** A response that is made in the background, whoever listens: from its first event to its last, and to the ledger. */
export class Run {
  readonly id: string
  readonly log: RunLog
  /** Fires when all is over and written down. Never rejects. */
  readonly done: Promise<void>
  readonly #start: RunStart
  #seq: number
  #why: Why | null = null
  #bill: OpenBill
  #meter = new StreamMeter()
  /** Whether anybody heard the question who may have to be paid. */
  #isAsked = false

  constructor(start: RunStart) {
    this.#start = start
    this.#bill = start.bill
    this.#seq = start.events.length
    this.id = start.origin.id
    this.log = new RunLog(this.id, () => this.end('lost'))
    this.log.tell(start.events)
    start.asking.whenHeld = (target, reservation) => this.#noteHeld(target, reservation)
    this.done = this.#work().catch((err) =>
      log().error(
        { err: asAppError(err), responseId: this.id },
        'a response in the background was not ended',
      ),
    )
  }

  /** Ends it at once; its call upstream is closed, and what was said is kept. */
  end(why: Why): void {
    if (this.#why !== null) return
    this.#why = why
    this.#start.abort.abort(new DOMException(`The response was ${why}.`, 'AbortError'))
  }

  async #work(): Promise<void> {
    const ending = await this.#makeAnswer().catch((error: unknown) =>
      this.#fail(tellFault(asAppError(error))),
    )
    await this.log.flush()
    const last = this.#why === null ? ending : await this.#endEarly()
    await this.#settle(last?.response ?? {})
    if (last === null || this.#why === 'lost') return
    const events = last.event ? [last.event] : []
    const { actor, question } = this.#start.call
    noteKept(actor.userId, question.bytes.byteLength + (last.event?.data.length ?? 0))
    if (await withPatience(() => endRun(this.id, last.response, events))) this.log.tell(events)
  }

  /** Asks, and takes down what is said; null where it was ended before its end. */
  async #makeAnswer(): Promise<Ending | null> {
    const { asking, targets } = this.#start
    const outcome = await asking.run(targets)
    const { trial } = outcome
    this.#noteServed(trial, outcome)
    if (trial.kind === 'failure') return this.#fail(tellFault(trial.error))
    if (trial.kind === 'left') return null
    if (trial.kind === 'refusal') return this.#fail(trial.refusal.error)
    return this.#readAnswer(trial.exchange)
  }

  /** Another target is asked: who comes after a crash has to know what is set aside for it. */
  async #noteHeld(target: Target, reservation: Reservation | null): Promise<void> {
    this.#note({ target, status: null, retries: 0, reservation })
    const isOurs = await withPatience(() => updateBill(this.id, this.#bill))
    if (!isOurs) this.end('lost')
  }

  #noteServed(trial: Trial, { retries, reservation }: Outcome): void {
    if ('exchange' in trial) this.#meter = trial.exchange.meter
    this.#isAsked =
      trial.kind === 'answer' ||
      (trial.kind === 'left' && trial.isSent) ||
      (trial.kind === 'failure' && wasSent(trial.error))
    const target = 'exchange' in trial ? trial.exchange.target : trial.target
    const status = 'exchange' in trial ? trial.exchange.answer.status : null
    this.#note({ target, status, retries, reservation })
  }

  #note({
    target: { key, model },
    ...known
  }: Pick<Line, 'status' | 'retries' | 'reservation'> & { target: Target }) {
    const { actor, question, request } = this.#start.call
    const requestId = request.headers.get('x-request-id')
    const bill = billOf({ actor, question, key, model, ...known, requestId, cache: null })
    const reservation = bill.reservation ?? this.#bill.bill.reservation
    const { guess } = this.#bill
    const mostOutput = known.reservation?.outputTokens ?? guess?.mostOutput ?? null
    this.#bill = {
      ...this.#bill,
      bill: { ...bill, reservation },
      ...(guess && { guess: { ...guess, mostOutput } }),
    }
  }

  async #readAnswer(exchange: Exchange): Promise<Ending | null> {
    if (!/^text\/event-stream\b/i.test(exchange.answer.headers['content-type'] ?? ''))
      return this.#readWhole(exchange)
    const decoder = new TextDecoder()
    let isStarted = false
    for await (const bytes of translateStream(exchange)) {
      if (this.#why !== null) return null
      const events = this.#cut(decoder.decode(bytes, { stream: true }))
      if (!isStarted) await this.#noteStarted(events)
      isStarted = true
      const last = events.find(({ type }) => terminalTypes.has(type)) ?? null
      await this.log.append(events.filter((event) => event !== last))
      if (last) return { response: asObject(asObject(parseJson(last.data)).response), event: last }
    }
    return this.#fail(brokenOff)
  }

  /** A server that does not stream is heard at its end. */
  async #readWhole(exchange: Exchange): Promise<Ending | null> {
    const { bytes, rest } = await readWhole(exchange.answer.body, maxWholeBytes)
    await rest?.cancel()
    if (this.#why !== null) return null
    const response = asObject(parseJson(translateWhole(exchange, bytes).toString()))
    return { response, event: this.#event(`response.${String(response.status)}`, { response }) }
  }

  /** A translation gives whole events, one line of data each. */
  #cut(text: string): KeptEvent[] {
    return text.split('\n\n').flatMap((event) => {
      // Not by `.`: it stands for no U+2028, which JSON may hold as it is.
      const [, type, data] = /^event: ([^\n]*)\ndata: ([^\n]*)$/.exec(event) ?? []
      if (type === undefined || data === undefined) return []
      return [{ seq: this.#seq++, type, data }]
    })
  }

  async #noteStarted(events: KeptEvent[]): Promise<void> {
    const begun = events.find(({ type }) => type === 'response.in_progress')
    const response = begun && asObject(asObject(parseJson(begun.data)).response)
    if (response && !(await withPatience(() => markStarted(this.id, response)))) this.end('lost')
  }

  #event(type: string, fields: JsonObject): KeptEvent {
    const seq = this.#seq++
    return { seq, type, data: JSON.stringify({ type, ...fields, sequence_number: seq }) }
  }

  /** The end of a run that was ended: as it was cancelled, or with the server that it ran on, or was taken from it. */
  async #endEarly(): Promise<Ending> {
    const { output, lastSeq } = await withPatience(() => foldRun(this.id))
    const begun = this.#begun()
    if (this.#why === 'cancelled') return { response: { ...begun, status: 'cancelled', output }, event: null }
    return endAsLost(begun, output, lastSeq + 1)
  }

  /** The Response as it was before anything was said. */
  #begun(): JsonObject {
    return new ResponseStream(this.#start.origin).response
  }

  /** What cannot be asked or read fails, in the words of whoever said so; what had come is kept. */
  async #fail(fault: StreamFault): Promise<Ending | null> {
    if (this.#why !== null) return null
    await this.log.flush()
    const { output, lastSeq } = await withPatience(() => foldRun(this.id))
    this.#seq = lastSeq + 1
    const { type, code, message, param } = fault
    await this.log.append([this.#event('error', { error: { type, code, message, param } })])
    const error = { code: code ?? 'server_error', message }
    const response = { ...this.#begun(), status: 'failed', output, error }
    return { response, event: this.#event('response.failed', { response }) }
  }

  async #settle(response: JsonObject): Promise<void> {
    const { bill, startedAt } = this.#bill
    const { reservation } = bill
    const usual = this.#why === null ? 'completed' : 'stopped'
    const record = {
      ...bill,
      reservation: reservation && { id: reservation.id, openedAt: new Date(reservation.openedAt) },
      ...this.#countTokens(response),
      firstTokenMs: this.#meter.firstByteMs,
      durationMs: Date.now() - Date.parse(startedAt),
      outcome: outcomes[String(response.status)] ?? usual,
    }
    try {
      await withPatience(() => recordUsage(record))
    } catch (err) {
      log().error({ err: asAppError(err), responseId: this.id }, 'what a response cost was not written down')
    }
  }

  #countTokens(response: JsonObject) {
    const meter = this.#meter
    // Who was never heard, or refused, told the model nothing that anybody has to pay for.
    if (!this.#isAsked) return countTokens(meter, { input: () => 0, output: () => 0 })
    const { estimatedInput } = this.#bill
    const isWhole = this.#why === null && response.status === 'completed'
    const guess = isWhole ? undefined : this.#bill.guess
    // Where the events are another server's by now, or gone, by what came.
    const shown = Math.max(estimateOutput(response), meter.estimateOutput())
    return countTokens(meter, {
      input: () => guess?.input.tokens ?? estimatedInput,
      output: () => (guess ? withUnseen(shown, meter.silentMs, guess.mostOutput) : shown),
    })
  }
}

/** A Response whose server is gone: it has failed, with what had come. `seq` is the number of its last event. */
export function endAsLost(begun: JsonObject, output: JsonObject[], seq: number): Ending {
  const message = 'The server was stopped before the answer was whole.'
  const error = { code: 'server_error', message }
  const response = { ...begun, status: 'failed', output, error }
  const data = JSON.stringify({ type: 'response.failed', response, sequence_number: seq })
  return { response, event: { seq, type: 'response.failed', data } }
}
