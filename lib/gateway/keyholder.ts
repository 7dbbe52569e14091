import type { Actor } from '../auth'
import { env } from '../env'
import { forwardCall } from '../providers'
import { type LentKey, lendKey, listLentKeys } from '../vault'
import { passHeaders, passRequestHeaders } from './headers'
import { readRefused } from './refused'

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

type Errand = {
  key: LentKey
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  request: Request
  signal: AbortSignal
}

/** Passes a call about something that a server keeps on to it, and its answer back, without a word about the key. */
export async function passOn({ key, method, path, request, signal }: Errand): Promise<Response> {
  const answer = await lendKey(key, () =>
    forwardCall({
      key,
      method,
      path,
      headers: passRequestHeaders(request),
      ...(method === 'POST' && { body: new Uint8Array() }),
      timeouts: env().PROVIDER_TIMEOUTS,
      signal,
      tap: { chunk: () => false, over: () => undefined },
    }),
  )
  return answer.status < 400
    ? new Response(answer.body, { status: answer.status, headers: passHeaders(answer.headers) })
    : (await readRefused(key, answer)).tell()
}
