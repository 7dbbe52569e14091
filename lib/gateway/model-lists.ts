import { createHash } from 'node:crypto'
import { AppError } from '../errors'
import { forwardCall } from '../providers'
import { remember } from '../remember'
import { type LentKey, lendKey, noteOutcome } from '../vault'
import { elementsOf } from './elements'
import { passHeaders } from './headers'
import { type Refused, readRefused } from './refused'
import { readAnswer } from './whole'

/** A model as a server lists it. */
export type ListedModel = { id: string; text: string }

/** What a server lists for a key: all of its answer, and the models in it. */
export type ModelList = { text: string; isWhole: boolean; headers: Headers; models: ListedModel[] }

const timeouts = { connectMs: 5000, firstByteMs: 5000, idleMs: 5000, totalMs: 5000 }
const maxListBytes = 4 * 1024 * 1024
const heldMs = 60_000
/** What went wrong is tried again sooner: who mends it should see so. */
const faultHeldMs = 5000
const maxHeld = 200
const maxHeldBytes = 64 * 1024 * 1024

type Held = { list: Promise<ModelList | Refused>; until: number; bytes: number }

const held = () => remember('gateway.models', () => new Map<string, Held>())

/**
 * The models that a key's server lists, or its refusal; asked at most once a minute, within 5 s. Throws provider_failed,
 * provider_timeout or provider_auth where it does not answer, or with something else.
 */
export function findModels(key: LentKey): Promise<ModelList | Refused> {
  const name = nameOf(key)
  const known = held().get(name)
  if (known && known.until > Date.now()) return known.list
  const entry: Held = { list: lendKey(key, ask), until: Date.now() + heldMs, bytes: 0 }
  held().delete(name)
  held().set(name, entry)
  const shorten = () => {
    entry.until = Math.min(entry.until, Date.now() + faultHeldMs)
  }
  entry.list.then((found) => {
    if ('tell' in found) shorten()
    else entry.bytes = found.text.length
    makeRoom()
  }, shorten)
  makeRoom()
  return entry.list
}

/** The same key is the same list, wherever it came from. */
function nameOf({ provider, baseUrl, apiKey }: LentKey): string {
  return createHash('sha256')
    .update(JSON.stringify([provider, baseUrl, apiKey]))
    .digest('base64')
}

function makeRoom(): void {
  let bytes = [...held().values()].reduce((sum, entry) => sum + entry.bytes, 0)
  for (const [name, entry] of held()) {
    if (held().size <= maxHeld && bytes <= maxHeldBytes && entry.until > Date.now()) break
    held().delete(name)
    bytes -= entry.bytes
  }
}

async function ask(key: LentKey): Promise<ModelList | Refused> {
  try {
    const answer = await forwardCall({
      key,
      method: 'GET',
      // Anthropic's are told in pages, of which the largest has all.
      path: key.provider === 'anthropic' ? '/models?limit=1000' : '/models',
      headers: { accept: 'application/json' },
      timeouts,
      // Others may wait for the same list: nobody's leaving ends it.
      signal: new AbortController().signal,
      tap: { chunk: () => false, over: () => undefined },
    })
    if (answer.status >= 400) return await readRefused(key, answer)
    const { text, value } = await readAnswer(answer, maxListBytes)
    const list = readList(text, value)
    if (key.provider === 'anthropic') return { text: '', ...toOpenAi(list), headers: new Headers() }
    return { text, ...list, headers: passHeaders(answer.headers) }
  } catch (error) {
    void noteOutcome(key, error)
    throw error
  }
}

/** OpenAI's list, or a bare one, as some servers give it. One that is `null` has none. */
function readList(text: string, value: unknown): Pick<ModelList, 'isWhole' | 'models'> {
  const isObject = typeof value === 'object' && value !== null && 'data' in value
  const list = isObject ? value.data : value
  if (!Array.isArray(list) && !(isObject && list === null)) throw notAList()
  const models = elementsOf(text).flatMap((element) => {
    const id = idOf(element)
    return id === null ? [] : [{ id, text: element }]
  })
  return { isWhole: isObject && list !== null, models }
}

/** Anthropic's models as OpenAI lists its own (https://platform.claude.com/docs/en/api/models-list). */
function toOpenAi({ models }: Pick<ModelList, 'models'>): Pick<ModelList, 'isWhole' | 'models'> {
  const told = models.map(({ id, text }) => {
    const { created_at: at, display_name: name } = JSON.parse(text) as Record<string, unknown>
    const created = Math.floor(Date.parse(String(at)) / 1000) || 0
    return { id, text: JSON.stringify({ id, object: 'model', created, owned_by: 'anthropic', name }) }
  })
  return { isWhole: false, models: told }
}

function idOf(element: string): string | null {
  const value: unknown = JSON.parse(element)
  const isNamed = typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
  return isNamed ? String(value.id) : null
}

function notAList(): AppError {
  const message = 'The model server did not answer with a list of models. Check its address in the vault.'
  return new AppError('provider_failed', message, { facts: { remedy: 'vault', failure: 'wrong_api' } })
}
