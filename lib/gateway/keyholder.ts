import { type Actor, findUser } from '../auth'
import { env } from '../env'
import { type Forwarded, forwardCall } from '../providers'
import { type LentKey, lendKey, listLentKeys } from '../vault'
import { FaultWords } from './fault-words'
import { passHeaders, passRequestHeaders } from './headers'
import { readRefused } from './refused'
import { readWhole } from './whole-body'

/** Which key something was made with at a model server. */
export type Maker = {
  provider: string
  source: string
  credentialId: string | null
  baseUrl: string
  /** The project whose keys were looked through. */
  projectId: string | null
}

/**
 * Whether what was made with one key is the same for another: at OpenAI, which tells by its ids whose it is; elsewhere
 * for keys of the same owner alone, since servers may count each account's things for itself.
 */
export function isSamePlace(made: Omit<Maker, 'projectId' | 'credentialId'>, key: LentKey): boolean {
  const { provider, source, baseUrl } = key
  if (made.provider !== provider || made.baseUrl !== baseUrl) return false
  return provider === 'openai' || made.source === source
}

/**
 * The key that something was made with; where that is gone, another one for the same server. Null if there is none, or
 * none that the actor may use any more.
 */
export async function findMakersKey(actor: Actor, maker: Maker): Promise<LentKey | null> {
  const keys = await listLentKeys(actor, { projectId: maker.projectId ?? actor.boundTo, provider: 'any' })
  const there = keys.filter((key) => isSamePlace(maker, key))
  const same = there.find(
    ({ source, credentialId }) => source === maker.source && credentialId === maker.credentialId,
  )
  return same ?? there[0] ?? null
}

/** As `findMakersKey`, on our own behalf: null, too, where nobody is left who made it. */
export async function findKeyFor(
  maker: Maker & { userId: string; boundTo: string | null },
): Promise<LentKey | null> {
  const actor = await findUser(maker.userId)
  return actor && findMakersKey({ ...actor, boundTo: maker.boundTo }, maker)
}

type Errand = {
  key: LentKey
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  signal: AbortSignal
  /** What is sent as JSON. */
  body?: object
}

type Passed = Errand & {
  request: Request
  /** Told once that the answer is over, however it ended, or that there is none. */
  over(): void
}

/** Passes a call about something that a server keeps on to it, and its answer back, without a word about the key. */
export async function passOn({ request, over, ...errand }: Passed): Promise<Response> {
  try {
    const answer = await ask(errand, passRequestHeaders(request), over)
    return answer.status < 400
      ? new Response(answer.body, { status: answer.status, headers: passHeaders(answer.headers) })
      : (await readRefused(errand.key, answer)).tell()
  } catch (error) {
    over()
    throw error
  }
}

/** A response can hold images. */
const maxAnswerBytes = 32 * 1024 * 1024

/** Asks the server about something that it keeps, on our own behalf. Throws as the call does. */
export async function askHolder(errand: Errand): Promise<{ status: number; text: string }> {
  const type = errand.body && { 'content-type': 'application/json' }
  const { status, body } = await ask(errand, { accept: 'application/json', ...type }, () => undefined)
  const { bytes, rest } = await readWhole(body, maxAnswerBytes)
  await rest?.cancel()
  return { status, text: Buffer.from(bytes).toString('utf8') }
}

function ask(
  { body, ...errand }: Errand,
  headers: Record<string, string>,
  over: () => void,
): Promise<Forwarded> {
  return lendKey(errand.key, () =>
    forwardCall({
      ...errand,
      headers,
      ...(errand.method === 'POST' && { body: Buffer.from(body ? JSON.stringify(body) : '') }),
      timeouts: env().PROVIDER_TIMEOUTS,
      tap: { chunk: () => false, over, hiding: (isStream) => new FaultWords(errand.key, isStream) },
    }),
  )
}
