import { AppError } from '../errors'
import { findModelLimits, type ModelLimits, type Wish } from '../usage'
import { isReference } from './names'
import { hiddenToolTokens, isSet, readTold, runsTools, saidIn, type Told } from './told'
import { asList, isObject, type JsonObject } from './translate/json'

/** Who is asked. */
export type Asked = Pick<Wish, 'provider' | 'model'>

export type Bounds = Pick<Wish, 'inputTokens' | 'outputTokens' | 'mostOutputTokens' | 'likelyTokens'>

/** How many tools a model server may run for one answer where the caller with a budget does not say. */
const usualToolCalls = 4
/** What OpenAI's legacy completions write at most where nobody says: its reference of POST /v1/completions. */
const usualCompletion = 16
/** As many tokens as OpenAI takes for a picture that it makes: gpt-image-1's largest and best, and for each early sight of it. */
const pictureTokens = 6400
const sightTokens = 100
/** Models that are not known yet may take more. */
const unknownPictureTokens = 32_000
const mostWhole = 2 ** 31 - 1

/**
 * What a call can use at most, and what it is likely to. `path` is below `/v1`, `bytes` the length of the body as it is
 * sent. A token has at least a byte; pictures, files and what the model server keeps or does by itself are bounded by
 * what the model can read. To be asked of calls with limits alone: it looks at the whole body.
 */
export function boundUse(path: string, body: JsonObject, bytes: number, { provider, model }: Asked): Bounds {
  const limits = findModelLimits(provider, model)
  const told = readTold(saidIn(body))
  const answers = countAnswers(path, body)
  const stated = isUnbounded(path, provider)
    ? (limits.output ?? limits.context)
    : readStated(path, body, provider)
  const outputTokens = boundOutput(path, body, model) ?? (stated === null ? null : cap(stated * answers))
  return {
    inputTokens: boundInput(path, body, { bytes, told, limits }),
    outputTokens,
    mostOutputTokens: limits.output === null ? null : cap(limits.output * answers),
    likelyTokens: cap(Math.ceil(told.textLength / 4) + (outputTokens ?? 0)),
  }
}

/**
 * The body with so many tokens as the most that all its answers may have together; null leaves that as it is. Tools that
 * the model server runs are bounded as `boundUse` reckons with. Throws invalid_input where there are more answers than
 * tokens.
 */
export function limitOutput(
  path: string,
  body: JsonObject,
  tokens: number | null,
  { provider }: Asked,
): JsonObject {
  if (isUnbounded(path, provider)) return body
  const isResponse = path.startsWith('/responses')
  const tools = path === '/responses' && runsTools(body) && readCount(body.max_tool_calls) === null
  const bounded = tools ? { ...body, max_tool_calls: usualToolCalls } : body
  if (tokens === null) return isResponse || provider !== 'openai-compatible' ? bounded : nameKnown(bounded)
  const each = Math.floor(tokens / countAnswers(path, body))
  if (each === 0) {
    const message = 'Say how many tokens each answer may have at most: max_tokens.'
    throw new AppError('invalid_input', message, { issues: [{ path: 'max_tokens', message }] })
  }
  if (isResponse) return { ...bounded, max_output_tokens: each }
  // What is there says nothing that counts, or there would be no need for this.
  const { max_tokens: _, max_completion_tokens: __, ...rest } = withoutOtherBounds(bounded)
  // Models that think first know the newer name alone, and other servers often the older one.
  const isNew = path === '/chat/completions' && provider === 'openai'
  return { ...rest, [isNew ? 'max_completion_tokens' : 'max_tokens']: each }
}

/** The bound that the caller states, under the name that every server knows: not every one knows the newer name. */
function nameKnown(body: JsonObject): JsonObject {
  const { max_completion_tokens: newer, ...rest } = withoutOtherBounds(body)
  const isOld = readCount(body.max_tokens) !== null
  if (readCount(newer) === null || isOld) return hasOtherBounds(body) ? withoutOtherBounds(body) : body
  return { ...rest, max_tokens: newer }
}

/** Other servers' own names for the most that they write; beside the usual ones they would say something else. */
const otherBounds = new Set(['n_predict', 'num_predict', 'max_new_tokens'])

const hasOtherBounds = (body: JsonObject) => Object.keys(body).some((name) => otherBounds.has(name))

function withoutOtherBounds(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !otherBounds.has(name)))
}

/** OpenAI lets nobody say how much it may write when it makes a conversation short. */
const isUnbounded = (path: string, provider: string) => path === '/responses/compact' && provider === 'openai'

const cap = (tokens: number) => Math.min(mostWhole, tokens)

/** As a server reads it that takes numbers in quotes, too. */
function readCount(value: unknown): number | null {
  const count = typeof value === 'string' ? Number(value) : value
  return typeof count === 'number' && count >= 1 && count < Infinity ? Math.ceil(count) : null
}

/** The most that the caller states for one answer. Numbers below one are no bound: some servers take them for none. */
function readStated(path: string, body: JsonObject, provider: string): number | null {
  if (path.startsWith('/responses')) return readCount(body.max_output_tokens)
  const stated = [readCount(body.max_tokens), readCount(body.max_completion_tokens)]
  const known = stated.filter((count) => count !== null)
  if (known.length > 0) return Math.max(...known)
  return path === '/completions' && provider === 'openai' ? usualCompletion : null
}

/** How many answers are written for one call. */
export function countAnswers(path: string, body: JsonObject): number {
  const n = readCount(body.n) ?? 1
  if (path === '/chat/completions') return n
  if (path !== '/completions') return 1
  const prompts = asList(body.prompt)
  // A list of numbers is one prompt in tokens.
  const count = prompts.length > 0 && typeof prompts[0] !== 'number' ? prompts.length : 1
  return count * Math.max(n, readCount(body.best_of) ?? 1)
}

/** Of calls whose output is no text; null for those of which it is. */
function boundOutput(path: string, body: JsonObject, model: string): number | null {
  if (path === '/embeddings' || path === '/moderations') return 0
  if (path !== '/images/generations') return null
  const one = model.startsWith('gpt-image-1') ? pictureTokens : unknownPictureTokens
  const sights = (readCount(body.partial_images) ?? 0) * sightTokens
  return cap((readCount(body.n) ?? 1) * (one + sights))
}

/** As many tools as the model server runs for one answer at most; none where it has none to run. */
export function mostToolRuns(body: JsonObject): number {
  return runsTools(body) ? (readCount(body.max_tool_calls) ?? usualToolCalls) : 0
}

/** Whether a call goes on from something that its server keeps, or changes there. */
export function isKeptThere(path: string, body: JsonObject): boolean {
  const { previous_response_id: response, conversation, context_management: changes, prompt } = body
  if ([response, conversation, changes].some(isSet)) return true
  if (!path.startsWith('/responses')) return false
  return isSet(prompt) || asList(body.input).some((item) => isObject(item) && isReference(item))
}

/** Calls for which a model reads more than words. */
export const isTalk = (path: string) => path === '/chat/completions' || path.startsWith('/responses')

type Sizes = { bytes: number; told: Told; limits: ModelLimits }

function boundInput(path: string, body: JsonObject, { bytes, told, limits }: Sizes): number {
  if (!isTalk(path)) return cap(bytes)
  // A summary that the model server makes on the way is a turn of its own.
  const all = mostToolRuns(body) + 1 + (isSet(body.context_management) ? 1 : 0)
  if (all > 1 || isKeptThere(path, body) || told.hasHidden) return cap(all * limits.context)
  const { fine, coarse } = limits.picture
  const pictures = told.finePictures * fine + told.coarsePictures * coarse
  const text = bytes - told.pictureBytes + hiddenToolTokens(body)
  return cap(Math.min(limits.context, text + pictures))
}
