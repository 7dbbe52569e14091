import { AppError } from '../errors'
import { readJson } from '../http'
import { hasDoubledFields } from './doubled'
import { writeJson } from './exact-numbers'

export type JsonObject = { [name: string]: unknown }

/** The calls that make a model work, below `/v1`. */
export type ModelPath =
  | '/chat/completions'
  | '/completions'
  | '/responses'
  | '/responses/compact'
  | '/embeddings'
  | '/images/generations'
  | '/moderations'

/** A call in OpenAI's dialect, as it came. */
export type ModelCall = {
  path: ModelPath
  request: Request
  /** What the body lacks and an older service had filled in. */
  defaults?: JsonObject
}

/** What a call asks for. */
export type Asked = {
  path: ModelPath
  /** As it came, as long as nothing had to be changed. */
  bytes: Uint8Array
  body: JsonObject
  /** As the caller wrote it; null where the call names none. */
  model: string | null
  isStream: boolean
  /** What was asked and said before, where that is kept here; the oldest first. */
  earlier?: JsonObject[]
  /** How the response is called that is to be made in the background; `createdAt` in seconds since 1970. */
  queued?: { id: string; createdAt: number }
}

const maxModelLength = 200

/** Whether a call makes a response that can be named later. */
export function isKept({ path, body }: Asked): boolean {
  return path === '/responses' && (body.store !== false || body.background === true)
}

/** Whether an answer goes on when nobody listens any more. */
export function goesOn({ path, body }: Asked): boolean {
  return path === '/responses' && body.background === true
}

/** Reads a call's body. Throws invalid_input, too_large, unsupported_media_type. */
export async function readAsked({ path, request, defaults }: ModelCall): Promise<Asked> {
  const { bytes, value } = await readJson(request)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('invalid_input', 'The body must be a JSON object.')
  const given = value as JsonObject
  const lacking = Object.entries(defaults ?? {}).filter(([name]) => !(name in given))
  const asked: Asked = {
    path,
    bytes,
    body: given,
    model: readModel(given.model),
    isStream: given.stream === true,
  }
  // What is looked at here is what is sent, whichever of two fields a server would take.
  const isAsItCame = lacking.length === 0 && !hasDoubledFields(bytes, given)
  return isAsItCame ? asked : rewrite(asked, Object.fromEntries(lacking))
}

function readModel(given: unknown): string | null {
  if (given === undefined || given === null) return null
  const isName = typeof given === 'string' && given.length <= maxModelLength && !given.includes('\0')
  if (isName) return given
  const message = `The model must be a name of at most ${maxModelLength} characters.`
  throw new AppError('invalid_input', message, { issues: [{ path: 'model', message }] })
}

/** The same call with these fields instead of its own; what is undefined goes. Throws invalid_input for depth without end. */
export function rewrite(asked: Asked, changes: JsonObject): Asked {
  const body = { ...asked.body, ...changes }
  const model = 'model' in changes ? readModel(changes.model) : asked.model
  const written = model === asked.model || asked.model !== null ? model : readModel(body.model)
  return { ...asked, body, model: written, bytes: Buffer.from(write(body, asked.bytes)) }
}

/** What can be read may be too deep to be written again. */
function write(body: JsonObject, source: Uint8Array): string {
  try {
    return writeJson(body, source)
  } catch (error) {
    throw new AppError('invalid_input', 'The body is nested too deeply.', { cause: error })
  }
}
