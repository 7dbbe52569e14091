import { type Actor, watchAccess } from '../auth'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import { type ForwardCall, type Forwarded, forwardCall } from '../providers'
import { type LentKey, lendKey, noteOutcome } from '../vault'
import type { FileRow } from './file-rows'
import { passRequestHeaders } from './headers'
import { findMakersKey } from './keyholder'

type FileCall = Pick<ForwardCall, 'method' | 'path'> & {
  request: Request
  headers?: Record<string, string>
  body?: ForwardCall['body']
}

/** A call about files, which ends when its caller leaves or may not call any more. Throws as `forwardCall`. */
export async function callFiles(actor: Actor, key: LentKey, call: FileCall): Promise<Forwarded> {
  const { request, headers, ...rest } = call
  const access = watchAccess(actor)
  try {
    return await forwardCall({
      ...rest,
      key,
      headers: { ...passRequestHeaders(request), ...headers },
      timeouts: env().PROVIDER_TIMEOUTS,
      signal: AbortSignal.any([request.signal, access.lost]),
      tap: { chunk: () => false, over: access.release },
    })
  } catch (error) {
    void noteOutcome(key, error)
    throw error
  }
}

const removalTimeouts = { connectMs: 10_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: 10_000 }

/** Deletes a file that nobody would own, whoever has left meanwhile, within 10 s. Never throws: the log tells what stays. */
export async function removeFile(key: LentKey, fileId: string): Promise<void> {
  try {
    const { status, body } = await forwardCall({
      key,
      method: 'DELETE',
      path: `/files/${fileId}`,
      headers: {},
      timeouts: removalTimeouts,
      signal: new AbortController().signal,
      tap: { chunk: () => false, over: () => undefined },
    })
    await body.cancel()
    if (status >= 400) throw new Error(`status ${status}`)
  } catch (err) {
    log().warn({ err, fileId }, 'a file that was not written down may still be at its server')
  }
}

/**
 * Lends the key that a file was made with to a call about it, or another that leads to the same files. Throws
 * provider_auth where there is none.
 */
export async function withMaker<T>(
  actor: Actor,
  row: FileRow,
  use: (key: LentKey) => Promise<T>,
): Promise<T> {
  const key = await findMakersKey(actor, row)
  if (key) return lendKey(key, use)
  const message =
    'The key that this file was uploaded with does not serve any more, and no other leads to it.'
  throw new AppError('provider_auth', message, { facts: { code: 'no_provider_key' } })
}
