import { randomBytes } from 'node:crypto'
import { env } from '../env'
import { AppError, asAppError } from '../errors'
import { type ForwardCall, type Forwarded, streamModel } from '../providers'
import { asList, isObject, type JsonObject } from './translate/json'

type Said = { role: 'user' | 'assistant'; text: string }

/**
 * The demo model as a server of chat completions, whole and streamed: what answers those who have no key yet. Its texts
 * are written in advance and say so. Ends as a server's answer does when the call's signal fires. Throws invalid_input
 * where nothing is said.
 */
export async function openDemo(call: ForwardCall): Promise<Forwarded> {
  const asked = readAsked(call.body instanceof Uint8Array ? call.body : undefined)
  if (asked.messages.length === 0) throw nothingAsked()
  const events = streamModel({
    key: call.key,
    model: 'demo',
    instructions: '',
    messages: asked.messages,
    temperature: null,
    maxOutputTokens: null,
    reasoningEffort: null,
    timeouts: env().PROVIDER_TIMEOUTS,
    signal: call.signal,
  })
  const source = asked.isStream ? writeStream(events, asked.wantsUsage) : writeWhole(events)
  const type = asked.isStream ? 'text/event-stream; charset=utf-8' : 'application/json'
  return { status: 200, headers: { 'content-type': type }, body: bodyOf(source, call) }
}

function nothingAsked(): AppError {
  const message = "Missing required parameter: 'messages'."
  return new AppError('invalid_input', message, {
    issues: [{ path: 'messages', message }],
    facts: { code: 'missing_required_parameter' },
  })
}

function readAsked(bytes: Uint8Array | undefined) {
  const body: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'))
  const given: JsonObject = isObject(body) ? body : {}
  const options = isObject(given.stream_options) ? given.stream_options : {}
  return {
    messages: asList(given.messages).flatMap(readMessage),
    isStream: given.stream === true,
    wantsUsage: options.include_usage === true,
  }
}

function readMessage(message: unknown): Said[] {
  if (!isObject(message) || (message.role !== 'user' && message.role !== 'assistant')) return []
  const parts = asList(message.content).flatMap((part) =>
    isObject(part) && typeof part.text === 'string' ? [part.text] : [],
  )
  const text = typeof message.content === 'string' ? message.content : parts.join('\n')
  return [{ role: message.role, text }]
}

type Events = ReturnType<typeof streamModel>

async function* writeStream(events: Events, wantsUsage: boolean): AsyncGenerator<string> {
  const frame = { id: makeChatId(), object: 'chat.completion.chunk', created: now(), model: 'demo' }
  const write = (fields: JsonObject) => `data: ${JSON.stringify({ ...frame, ...fields })}\n\n`
  const choice = (delta: JsonObject, finish: string | null) =>
    write({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })
  yield choice({ role: 'assistant', content: '' }, null)
  for await (const event of events) {
    if (event.type === 'text') yield choice({ content: event.text }, null)
    if (event.type !== 'done') continue
    yield choice({}, 'stop')
    if (wantsUsage) yield write({ choices: [], usage: toUsage(event.usage) })
    yield 'data: [DONE]\n\n'
  }
}

async function* writeWhole(events: Events): AsyncGenerator<string> {
  let content = ''
  for await (const event of events) {
    if (event.type === 'text') content += event.text
    if (event.type !== 'done') continue
    const message = { role: 'assistant', content, refusal: null }
    const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
    const head = { id: makeChatId(), object: 'chat.completion', created: now(), model: 'demo' }
    yield JSON.stringify({ ...head, choices, usage: toUsage(event.usage) })
  }
}

const makeChatId = () => `chatcmpl-demo${randomBytes(12).toString('hex')}`

const now = () => Math.floor(Date.now() / 1000)

function toUsage(usage: { input_tokens: number; output_tokens: number } | null): JsonObject | null {
  if (usage === null) return null
  const { input_tokens: prompt, output_tokens: completion } = usage
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}

/** The text as a server's body: seen by the call's tap, and over for it once. */
function bodyOf(source: AsyncGenerator<string>, { tap, signal }: ForwardCall): ReadableStream<Uint8Array> {
  let isOver = false
  const over = (how: 'whole' | 'left' | 'broken') => {
    if (!isOver) tap.over(how)
    isOver = true
  }
  const breakOff = (error: unknown, controller: ReadableStreamDefaultController<Uint8Array>) => {
    over(signal.aborted ? 'left' : 'broken')
    const words = signal.aborted ? null : (tap.lastWords?.(asAppError(error)) ?? null)
    if (words === null) return controller.error(error)
    controller.enqueue(words)
    controller.close()
  }
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await source.next()
          if (done) {
            over('whole')
            return controller.close()
          }
          const bytes = Buffer.from(value)
          tap.chunk(bytes)
          controller.enqueue(bytes)
        } catch (error) {
          breakOff(error, controller)
        }
      },
      async cancel() {
        over('left')
        await source.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
