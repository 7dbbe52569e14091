import { findModelLimits } from '../usage'
import type { JsonObject } from './asked'
import { isKeptThere, isTalk, mostToolRuns } from './bounds'
import { bytesPerToken } from './output-estimate'
import type { Question } from './question'
import { boundsOf, modelFor, withEarlier } from './reserve'
import type { Target } from './targets'
import { isHeardBefore, readTold, saidIn, type Told } from './told'
import { asList, asObject, isObject } from './translate/json'

/** A picture is read as no more than this by most models. */
const usualPicture = 1500
/** What a tool of the server's finds is read as: the 20 pieces of 800 tokens that OpenAI's search in files gives where nobody says otherwise. */
const foundTokens = 16_000

/** What is known of a call's input, in tokens, before its server tells it. */
export type InputGuess = {
  /** By what the call shows; the most where that says too little. */
  tokens: number
  /** Never more than this. */
  most: number
  /** What its server can be asked, and as how many tokens what it is not asked about counts; null: it knows no more. */
  count: { body: JsonObject; beside: number } | null
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
  const { provider } = target.key
  const { body } = withEarlier(question)
  const told = readTold(saidIn(body))
  const most = boundsOf(question, target).inputTokens
  const { picture } = findModelLimits(provider, modelFor(path, target.model))
  const words = estimateWords(question, told)
  const pictures = told.finePictures * picture.fine + told.coarsePictures * picture.coarse
  const hidesSome = isTalk(path) && (isKeptThere(body) || told.hasHidden)
  const knowsMore = provider === 'openai' && (hidesSome || (isTalk(path) && pictures > 0))
  return {
    tokens: hidesSome ? most : Math.min(most, path === '/moderations' ? 0 : words + pictures),
    most,
    count: knowsMore ? countable(path, { ...body, model: target.model }, words) : null,
    toolRuns: mostToolRuns(body),
  }
}

/** The input of all turns, where so many tools were run (null: nobody knows, so as many as may be): each turn reads all again. */
export function inputOfTurns(first: number, { toolRuns, most }: InputGuess, runs: number | null): number {
  const turns = Math.min(runs ?? toolRuns, toolRuns)
  return Math.min(most, first * (1 + turns) + (foundTokens * turns * (turns + 1)) / 2)
}

function estimateWords({ bytes, earlier = [] }: Question, { pictureBytes }: Told): number {
  const before = earlier.length > 0 ? JSON.stringify(earlier).length : 0
  return estimateTokens(bytes.byteLength - pictureBytes + before)
}

/** About as many tokens as so many bytes are. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken)
}

/** What OpenAI's `POST /v1/responses/input_tokens` takes of a call. */
const countedFields = [
  'conversation',
  'input',
  'instructions',
  'model',
  'parallel_tool_calls',
  'previous_response_id',
  'reasoning',
  'text',
  'tool_choice',
  'tools',
  'truncation',
]

function countable(path: string, body: JsonObject, words: number): InputGuess['count'] {
  if (path !== '/chat/completions') {
    const counted = Object.entries(body).filter(([name]) => countedFields.includes(name))
    return { body: Object.fromEntries(counted), beside: 0 }
  }
  const messages = asList(body.messages).filter(isObject)
  if (messages.some(isHeardBefore)) return null
  const parts = messages.flatMap(({ content }) => asList(content).filter(isObject).flatMap(toInputPart))
  return { body: { model: body.model, input: [{ role: 'user', content: parts }] }, beside: words }
}

/** A picture or a file in a chat, as a Response takes it. */
function toInputPart({ type, image_url, file }: JsonObject): JsonObject[] {
  if (type === 'file') return [{ type: 'input_file', ...asObject(file) }]
  if (type !== 'image_url') return []
  const { url, detail } = asObject(image_url)
  return [{ type: 'input_image', image_url: url, ...(detail !== undefined && { detail }) }]
}
