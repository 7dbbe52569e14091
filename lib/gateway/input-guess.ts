import { findModelLimits } from '../usage'
import type { JsonObject } from './asked'
import { isKeptThere, isTalk, mostToolRuns } from './bounds'
import { bytesPerToken } from './output-estimate'
import type { Question } from './question'
import { boundsOf, modelFor, withEarlier } from './reserve'
import type { Target } from './targets'
import { hiddenToolTokens, isHeardBefore, isOwnTool, isSet, readTold, saidIn, type Told } from './told'
import { asList, asObject, isObject } from './translate/json'

/** A picture is read as no more than this by most models. */
const usualPicture = 1500
/** What a tool of the server's finds is read as: the 20 pieces of 800 tokens that OpenAI's search in files gives where nobody says otherwise. */
const foundTokens = 16_000
/** No server runs its tools faster, one after the other. */
const msPerToolRun = 1000

/** What is known of a call's input, in tokens, before its server tells it. */
export type InputGuess = {
  /** By what the call shows; as much as the model can read at once where that says too little. */
  tokens: number
  /** All turns together are never more than this. */
  most: number
  /** What its server can be asked in order to count it; null: it knows no more. */
  count: JsonObject | null
  /** As how many tokens counts what its server is not asked about. */
  beside: number
  /** As many tools as its server runs at most. */
  toolRuns: number
}

/** About as many tokens as a call tells the model, with what is sent along of a conversation that is kept here. */
export function estimateInput(question: Question): number {
  if (question.path === '/moderations') return 0
  const told = readTold(saidIn(question.body))
  return estimateWords(question, told) + (told.finePictures + told.coarsePictures) * usualPicture
}

/** As many tokens as a call that has to be paid for tells the model, so that it is not too few. */
export function guessInput(question: Question, target: Target): InputGuess {
  const { path } = question
  const { body } = withEarlier(question)
  const told = readTold(saidIn(body))
  const most = boundsOf(question, target).inputTokens
  const { context, picture } = findModelLimits(target.key.provider, modelFor(path, target.model))
  const pictures = told.finePictures * picture.fine + told.coarsePictures * picture.coarse
  const hidesSome = isTalk(path) && (isKeptThere(path, body) || told.hasHidden)
  const shown = path === '/moderations' ? 0 : estimateWords(question, told) + pictures
  const call = { path, question, told, hasPictures: pictures > 0, hidesSome }
  return {
    tokens: Math.min(most, hidesSome ? context : shown),
    most,
    ...(target.key.provider === 'openai'
      ? findCount(call, { ...body, model: target.model })
      : { count: null, beside: 0 }),
    // In a chat the one search comes first.
    toolRuns:
      path === '/chat/completions' ? Math.min(1, mostToolRuns(body)) : isTalk(path) ? mostToolRuns(body) : 0,
  }
}

/** As many tools as may have been run in so many milliseconds, where nobody has seen them. */
export function runsWithin(ms: number): number {
  return Math.ceil(Math.max(0, ms) / msPerToolRun)
}

/** The input of all turns, where so many tools were run: each turn reads all again. */
export function inputOfTurns(first: number, { toolRuns, most }: InputGuess, runs: number): number {
  const turns = Math.min(runs, toolRuns)
  return Math.min(most, first * (1 + turns) + (foundTokens * turns * (turns + 1)) / 2)
}

function estimateWords({ path, bytes, body, earlier = [] }: Question, { pictureBytes }: Told): number {
  const numbered = path === '/completions' ? countNumbers(body.prompt) : countNumbers(body.input)
  if (numbered > 0) return numbered
  const before = earlier.length > 0 ? JSON.stringify(earlier).length : 0
  return estimateTokens(bytes.byteLength - pictureBytes + before)
}

/** Texts may be told as the numbers of their tokens. */
function countNumbers(told: unknown): number {
  const all = asList(told).flat()
  return all.every((one) => typeof one === 'number') ? all.length : 0
}

/** About as many tokens as so many bytes are. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken)
}

/** What OpenAI's `POST /v1/responses/input_tokens` takes of a call, but for tools: they are looked at apart. */
const countedFields = new Set([
  'conversation',
  'input',
  'instructions',
  'model',
  'previous_response_id',
  'reasoning',
  'text',
  'truncation',
])

type Counting = { path: string; question: Question; told: Told; hasPictures: boolean; hidesSome: boolean }

/** What OpenAI is asked to count; not what somebody else could give it otherwise the second time. */
function findCount(
  { path, question, told, hasPictures, hidesSome }: Counting,
  body: JsonObject,
): Pick<InputGuess, 'count' | 'beside'> {
  const none = { count: null, beside: 0 }
  if (told.hasAddresses) return none
  if (path.startsWith('/responses')) {
    // A stored prompt cannot be named there. Tools of the server's stay out: they may bring secrets of the caller's.
    if (isSet(body.prompt)) return none
    const counted = Object.entries(body).filter(([name]) => countedFields.has(name))
    const tools = asList(body.tools).filter(isOwnTool)
    const all = tools.length === asList(body.tools).length
    return {
      count: { ...Object.fromEntries(counted), ...(tools.length > 0 && { tools }) },
      beside: all ? 0 : hiddenToolTokens(body),
    }
  }
  const messages = asList(body.messages).filter(isObject)
  if (path !== '/chat/completions' || messages.some(isHeardBefore) || !(hidesSome || hasPictures)) return none
  const parts = messages.flatMap(({ content }) => asList(content).filter(isObject).flatMap(toInputPart))
  const words = { ...told, pictureBytes: told.pictureBytes + told.fileBytes }
  return {
    count: { model: body.model, input: [{ role: 'user', content: parts }] },
    beside: estimateWords(question, words),
  }
}

/** A picture or a file in a chat, as a Response takes it. */
function toInputPart({ type, image_url, file }: JsonObject): JsonObject[] {
  if (type === 'file') return [{ type: 'input_file', ...asObject(file) }]
  if (type !== 'image_url') return []
  const { url, detail } = asObject(image_url)
  return [{ type: 'input_image', image_url: url, ...(detail !== undefined && { detail }) }]
}
