/** What the bytes of an answer mean, by the plainest reading of them: all at once, and without any care for cost. */
export type Meaning = { text: string; reasoning: string; isWhole: boolean; isError: boolean }

type Json = { [key: string]: unknown } | unknown[]
type Said = { kind: 'text' | 'reasoning'; piece: string }

/** The data of the events in a body. One that lacks only its empty line counts if the body ended by itself. */
function eventsIn(body: Buffer, endedClean: boolean): string[] {
  const lines = body
    .toString()
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)
  const unfinished = lines.pop()
  const events: string[] = []
  let data: string[] = []
  const dispatch = () => {
    if (data.length > 0) events.push(data.join('\n'))
    data = []
  }
  for (const line of lines) {
    const field = /^data(?::[ ]?|$)/.exec(line)?.[0]
    if (line === '') dispatch()
    else if (field !== undefined) data.push(line.slice(field.length))
  }
  if (endedClean && unfinished === '') dispatch()
  return events
}

function parse(data: string): Json | undefined {
  try {
    const value = JSON.parse(data)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

const get = (value: unknown, ...path: string[]): unknown =>
  path.reduce(
    (here, key) => (typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined),
    value,
  )
const textAt = (value: unknown, ...path: string[]): string => {
  const found = get(value, ...path)
  return typeof found === 'string' ? found : ''
}
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1e9 ? value : undefined

/** Pieces joined, with what no database stores made U+FFFD; a character is one only where its halves follow each other. */
function join(said: Said[], kind: Said['kind']): string {
  const runs: Said[] = []
  for (const { kind, piece } of said) {
    const last = runs.at(-1)
    if (last?.kind === kind) last.piece += piece
    else runs.push({ kind, piece })
  }
  const mine = runs.filter((run) => run.kind === kind)
  return mine.map(({ piece }) => piece.replaceAll('\0', '\ufffd').toWellFormed()).join('')
}

/** Reads events one after the other; `step` says whether that was the last, or an error. */
function readWith(events: string[], step: (data: string) => 'on' | 'whole' | 'error') {
  for (const data of events) {
    const state = step(data)
    if (state !== 'on') return state
  }
  return 'on'
}

/** The meaning of a body of the Responses API. */
export function readResponses(body: Buffer, endedClean: boolean): Meaning {
  const said: Said[] = []
  let part: string | undefined
  const think = (event: Json, piece: string) => {
    if (piece === '') return
    const indexes = ['output_index', 'summary_index', 'content_index'].map((name) =>
      countOf(get(event, name)),
    )
    if (indexes[1] !== undefined) indexes.pop()
    const here = indexes.join()
    said.push({ kind: 'reasoning', piece: (part === undefined || part === here ? '' : '\n\n') + piece })
    part = here
  }
  const finish = (event: Json) => {
    if (said.some(({ kind }) => kind === 'text')) return
    for (const item of listOf(get(event, 'response', 'output')))
      for (const content of listOf(get(item, 'content'))) {
        const isText = get(content, 'type') === 'output_text'
        said.push({ kind: 'text', piece: textAt(content, isText ? 'text' : 'refusal') })
      }
  }
  const state = readWith(eventsIn(body, endedClean), (data) => {
    if (data === '[DONE]' || isRepetition(data)) return 'on'
    const event = parse(data)
    if (event === undefined) return 'error'
    const type = get(event, 'type')
    if (type === 'response.output_text.delta' || type === 'response.refusal.delta') {
      const piece = textAt(event, 'delta')
      if (piece !== '') said.push({ kind: 'text', piece })
    } else if (type === 'response.reasoning_summary_text.delta' || type === 'response.reasoning_text.delta') {
      think(event, textAt(event, 'delta'))
    } else if (type === 'response.completed' || type === 'response.incomplete') {
      finish(event)
      return 'whole'
    } else if (type === 'response.failed' || type === 'response.cancelled' || type === 'error') return 'error'
    else if (typeof type !== 'string' && get(event, 'error')) return 'error'
    return 'on'
  })
  return meaning(said, state)
}

/** Broken JSON in an event that nobody needs is forgiven. */
const isRepetition = (data: string): boolean =>
  /^\{"type":"response\.(created|queued|in_progress|output_item\.(added|done)|content_part\.(added|done)|output_text\.done|refusal\.done|reasoning_summary_part\.(added|done)|reasoning_summary_text\.done|reasoning_text\.done)"/.test(
    data,
  )

/** The meaning of a body of chat completions. */
export function readCompletions(body: Buffer, endedClean: boolean): Meaning {
  const said: Said[] = []
  let hasReason = false
  let hasUsage = false
  const say = (kind: Said['kind'], piece: string) => {
    if (piece !== '') said.push({ kind, piece })
  }
  const take = (choice: unknown): boolean => {
    if (get(choice, 'error')) return false
    const delta = get(choice, 'delta') ?? get(choice, 'message')
    const thought = get(delta, 'reasoning_content')
    say('reasoning', typeof thought === 'string' ? thought : textAt(delta, 'reasoning'))
    const content = get(delta, 'content')
    const parts = listOf(content).map((each) => textAt(each, 'text'))
    say('text', (typeof content === 'string' ? content : parts.join('')) + textAt(delta, 'refusal'))
    if (textAt(choice, 'finish_reason') !== '') hasReason = true
    return true
  }
  const state = readWith(eventsIn(body, endedClean), (data) => {
    if (data.trim() === '[DONE]') return 'whole'
    const chunk = parse(data)
    if (chunk === undefined || get(chunk, 'error')) return 'error'
    const isFlatError = get(chunk, 'choices') === undefined && typeof get(chunk, 'message') === 'string'
    if (isFlatError) return 'error'
    const choices = listOf(get(chunk, 'choices'))
    for (const choice of choices) if ((get(choice, 'index') ?? 0) === 0 && !take(choice)) return 'error'
    const count = (name: string) => countOf(get(chunk, 'usage', name))
    // Who tells the input and the sum has told the output.
    const output = count('completion_tokens') ?? count('total_tokens')
    if (count('prompt_tokens') !== undefined && output !== undefined) hasUsage = true
    return hasReason && hasUsage && choices.length === 0 ? 'whole' : 'on'
  })
  return meaning(said, state === 'on' && hasReason ? 'whole' : state)
}

function meaning(said: Said[], state: 'on' | 'whole' | 'error'): Meaning {
  const isError = state === 'error'
  return { text: join(said, 'text'), reasoning: join(said, 'reasoning'), isWhole: state === 'whole', isError }
}
