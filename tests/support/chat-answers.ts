import fc from 'fast-check'

/** What a model says, before it is cut into the chunks of a stream. */
export type ChatAnswer = {
  reasoning: string
  text: string
  refusal: string
  calls: { id: string; name: string; args: string }[]
  links: string[]
  finish: string
  usage: { prompt: number; completion: number; cached: number; reasoning: number } | null
  hasLogprobs: boolean
}

/** How a server streams it. */
export type ChatHabits = {
  /** Where texts are cut, by their UTF-16 units, and calls take turns. */
  cuts: number[]
  thinksAs: 'reasoning_content' | 'reasoning'
  idsComeLate: boolean
  wholeCalls: boolean
  opensWithRole: boolean
  repeatsFinish: boolean
  usageWith: 'own' | 'finish' | 'every'
  secondChoice: boolean
  nulls: boolean
}

const anyText = fc.string({ unit: 'binary', maxLength: 40 })
const name = fc.stringMatching(/^[a-z]{1,12}$/)

export const chatAnswers: fc.Arbitrary<ChatAnswer> = fc.record({
  reasoning: anyText,
  text: anyText,
  refusal: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, anyText),
  calls: fc.uniqueArray(
    fc.record({
      id: fc.stringMatching(/^call_[a-z0-9]{6}$/),
      name,
      args: fc.oneof(fc.json(), fc.constant('')),
    }),
    { maxLength: 4, selector: ({ id }) => id },
  ),
  links: fc.array(fc.webUrl(), { maxLength: 2 }),
  finish: fc.constantFrom('stop', 'tool_calls', 'length', 'content_filter'),
  usage: fc.option(
    fc.record({ prompt: fc.nat(9999), completion: fc.nat(9999), cached: fc.nat(99), reasoning: fc.nat(99) }),
  ),
  hasLogprobs: fc.boolean(),
})

export const chatHabits: fc.Arbitrary<ChatHabits> = fc.record({
  cuts: fc.array(fc.nat(1000), { maxLength: 20 }),
  thinksAs: fc.constantFrom('reasoning_content', 'reasoning'),
  idsComeLate: fc.boolean(),
  wholeCalls: fc.boolean(),
  opensWithRole: fc.boolean(),
  repeatsFinish: fc.boolean(),
  usageWith: fc.constantFrom('own', 'finish', 'every'),
  secondChoice: fc.boolean(),
  nulls: fc.boolean(),
})

type Body = Record<string, unknown>

const head = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'some-model-0613', service_tier: 'flex' }

function usageOf({ usage }: ChatAnswer): Body | null {
  return (
    usage && {
      prompt_tokens: usage.prompt,
      completion_tokens: usage.completion,
      total_tokens: usage.prompt + usage.completion,
      prompt_tokens_details: { cached_tokens: usage.cached },
      completion_tokens_details: { reasoning_tokens: usage.reasoning },
    }
  )
}

function logprobsOf(tokens: string[]): Body {
  const entry = (token: string) => ({ token, logprob: -0.5, bytes: [...Buffer.from(token)] })
  const content = tokens.map((token) => ({ ...entry(token), top_logprobs: [entry(token)] }))
  return { content, refusal: null }
}

function citation(url: string): Body {
  return { type: 'url_citation', url_citation: { start_index: 0, end_index: 3, url, title: `On ${url}` } }
}

/** The answer in one piece, its text having had these tokens. */
export function wholeCompletion(answer: ChatAnswer, tokens: string[]): Body {
  const { reasoning, text, refusal, calls, links, finish } = answer
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: refusal === '' ? null : refusal,
    annotations: links.map(citation),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: call.args },
      })),
    }),
  }
  const logprobs = answer.hasLogprobs ? logprobsOf(tokens) : null
  const choices = [{ index: 0, message, logprobs, finish_reason: finish }]
  return { ...head, object: 'chat.completion', choices, usage: usageOf(answer) ?? undefined }
}

/** Cuts a text at places that may lie anywhere, also within a character; no piece is empty. */
export function cutText(text: string, cuts: number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  const ends = [...places, text.length]
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)).filter((piece) => piece !== '')
}

/** The answer as the chunks of a stream, all it thinks before all it says before all it calls. */
export function chunksOf(answer: ChatAnswer, habits: ChatHabits): Body[] {
  const { cuts, thinksAs, nulls } = habits
  const filler = nulls ? { content: null, tool_calls: null, refusal: null } : {}
  const cut = (text: string) => cutText(text, cuts)
  const opening = habits.opensWithRole ? [{ role: 'assistant', content: '' }] : []
  const thoughts = cut(answer.reasoning).map((piece) => ({ ...filler, [thinksAs]: piece }))
  const refusals = cut(answer.refusal).map((refusal) => ({ ...filler, refusal }))
  const links = answer.links.map((url) => ({ ...filler, annotations: [citation(url)] }))
  const deltas = [...thoughts, ...links.slice(0, 1)]
  const chunks = [
    ...[...opening, ...deltas].map((delta) => chunkOf(delta)),
    ...cut(answer.text).map((content) =>
      chunkOf({ ...filler, content }, answer.hasLogprobs ? { logprobs: logprobsOf([content]) } : {}),
    ),
    ...[...links.slice(1), ...refusals, ...callDeltas(answer, habits)].map((delta) => chunkOf(delta)),
  ]
  return [...chunks.flatMap((chunk) => withNoise(chunk, habits)), ...closing(answer, habits)]
}

function chunkOf(delta: Body, more: Body = {}): Body {
  return {
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...more }],
  }
}

function withNoise(chunk: Body, { secondChoice, usageWith, cuts }: ChatHabits): Body[] {
  const [first] = chunk.choices as Body[]
  const other = { index: 1, delta: { content: 'Another answer.' }, finish_reason: 'stop' }
  const choices = secondChoice ? [other, first] : [first]
  const usage = { prompt_tokens: 1, completion_tokens: cuts.length, total_tokens: 1 + cuts.length }
  return [{ ...chunk, choices, ...(usageWith === 'every' ? { usage } : { usage: null }) }]
}

function closing(answer: ChatAnswer, { repeatsFinish, usageWith }: ChatHabits): Body[] {
  const usage = usageOf(answer)
  const finish = chunkOf({}, { finish_reason: answer.finish })
  const last = { ...finish, ...(usageWith === 'finish' && usage && { usage }) }
  const own = usageWith !== 'finish' && usage ? [{ ...head, choices: [], usage }] : []
  return [last, ...(repeatsFinish ? [finish] : []), ...own]
}

/** Each call is named before the next; then their arguments come in turns. */
function callDeltas({ calls }: ChatAnswer, { cuts, wholeCalls, idsComeLate }: ChatHabits): Body[] {
  if (wholeCalls)
    return calls.map(({ id, name: called, args }, index) => ({
      tool_calls: [{ index, id, type: 'function', function: { name: called, arguments: args } }],
    }))
  const heads = calls.flatMap(({ id, name: called }, index) => {
    const named = { index, type: 'function', function: { name: called, arguments: '' } }
    return idsComeLate ? [named, { index, id }] : [{ ...named, id }]
  })
  const pieces = calls.map(({ args }) => cutText(args, cuts))
  const longest = Math.max(0, ...pieces.map(({ length }) => length))
  const turns = Array.from({ length: longest }, (_, turn) =>
    pieces.flatMap((each, index) =>
      each[turn] === undefined ? [] : [{ index, function: { arguments: each[turn] } }],
    ),
  )
  return [...heads.map((call) => ({ tool_calls: [call] })), ...turns.map((tool_calls) => ({ tool_calls }))]
}

/** The bytes of the stream, with the marks that servers put between events. */
export function writeChatStream(chunks: Body[], eol: '\n' | '\r\n' = '\n'): Buffer {
  const events = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}${eol}${eol}`)
  return Buffer.from(`: hello${eol}${eol}${events.join(`: ping${eol}${eol}`)}data: [DONE]${eol}${eol}`)
}
