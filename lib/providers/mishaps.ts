import type { CredentialFailure } from '../contracts/credentials'
import type { AppError } from '../errors'
import { explainRefusal, isRefusedAddress, type RefusedAddress } from '../reach'
import { type Errand, providerError, providerName } from './faults'
import type { ModelKey, ProviderTimeouts } from './port'
import { codeOf } from './upstream'
import type { Expired } from './watchdog'

/** What a call was for, and whether any of its answer has come. */
export type Progress = Errand & { began: boolean }

/** Why nobody answered at an address. */
const absences: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name could not be looked up',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no network',
  ETIMEDOUT: 'the connection timed out',
}

/** Why this machine could not even ask. */
const shortages: Record<string, string> = {
  EADDRNOTAVAIL: 'this machine has no free connection left',
  EMFILE: 'this machine has no free connection left',
}

function kept(began: boolean): string {
  return began ? 'What arrived is kept. Try again.' : 'Try again.'
}

function hostAndPort({ key }: Errand): string {
  const { hostname, port, protocol } = new URL(key.baseUrl)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 1) return `${ms} milliseconds`
  if (seconds === 1) return '1 second'
  return seconds % 60 === 0 && seconds >= 120 ? `${seconds / 60} minutes` : `${seconds} seconds`
}

function retry(message: string, cause?: unknown): AppError {
  return providerError('provider_failed', message, { remedy: 'retry', cause })
}

function address(message: string, failure: CredentialFailure = 'wrong_api'): AppError {
  const whole = `${message} Check the address in the vault.`
  return providerError('provider_failed', whole, { remedy: 'vault', failure })
}

function refusedAddress(error: RefusedAddress): AppError {
  const details = { remedy: 'vault', failure: 'not_allowed', cause: error } as const
  return providerError('provider_failed', explainRefusal(error.host), details)
}

/** What a broken connection means for the person who asked. */
export function explainBreak(progress: Progress, error: Error): AppError {
  const name = providerName(progress.key)
  const code = codeOf(error)
  if (isRefusedAddress(error)) return refusedAddress(error)
  const known = absences[code] ?? shortages[code]
  if (known !== undefined && !progress.began) {
    const message = `${name} could not be reached at ${hostAndPort(progress)}: ${known}. Check that it is running, then try again.`
    const failure = code in absences ? 'unreachable' : undefined
    return providerError('provider_failed', message, { remedy: 'retry', failure, cause: error })
  }
  if (/^(Z_|ERR__ERROR_|ERR_BROTLI|ERR_STREAM_PREMATURE)/.test(code)) return unreadable(progress)
  if (/^(CERT_|DEPTH_|UNABLE_|SELF_SIGNED|ERR_TLS|ERR_SSL|EPROTO)/.test(code)) {
    return address(
      `The connection to ${name} at ${hostAndPort(progress)} is not safe (${code}).`,
      'unreachable',
    )
  }
  if (code.startsWith('HPE_')) return address(`${name} at ${hostAndPort(progress)} does not answer in HTTP.`)
  const when = progress.began ? 'before the answer was complete' : 'before the answer began'
  return retry(`The connection to ${name} broke ${when}. ${kept(progress.began)}`, error)
}

/** What programs are told of which wait was too long. */
const timeoutCodes = {
  connect: 'connect_timeout',
  firstByte: 'first_byte_timeout',
  idle: 'idle_timeout',
  total: 'total_timeout',
}

/** What a timeout means for the person who asked. */
export function explainExpiry(progress: Progress, what: Expired, timeouts: ProviderTimeouts): AppError {
  const name = providerName(progress.key)
  const message = {
    connect: `${name} could not be reached at ${hostAndPort(progress)} within ${duration(timeouts.connectMs)}. Check that it is running, then try again.`,
    firstByte: `${name} did not begin to answer within ${duration(timeouts.firstByteMs)}. Try again.`,
    idle: `${name} fell silent for ${duration(timeouts.idleMs)} in the middle of the answer. ${kept(progress.began)}`,
    total: `The answer of ${name} was ended because it took longer than ${duration(timeouts.totalMs)}. ${kept(progress.began)}`,
  }[what]
  const failure = what === 'connect' ? 'unreachable' : undefined
  return providerError('provider_timeout', message, { remedy: 'retry', failure, code: timeoutCodes[what] })
}

/** The body was over before the answer was. */
export function endedEarly({ key, began }: Progress): AppError {
  return retry(`${providerName(key)} ended the answer before it was complete. ${kept(began)}`)
}

/** What came is not what the format promises: broken JSON or broken compression. */
export function unreadable({ key, began }: Progress): AppError {
  return retry(`${providerName(key)} sent something that cannot be read as an answer. ${kept(began)}`)
}

/** A redirect, which is not followed: the key is for one host. */
export function redirected({ key }: Errand): AppError {
  return address(
    `${providerName(key)} wants to send the request to another address. That is not followed, for your key is meant for ${new URL(key.baseUrl).host} alone.`,
  )
}

/** An answer of another type than a stream of events. */
export function wrongType({ key }: Errand, contentType: string): AppError {
  const name = providerName(key)
  if (/html/i.test(contentType)) return address(`${name} answered with a web page, not as a model.`)
  return address(`${name} did not answer as a model that streams.`)
}

/** One event, the silence between two pieces of text, or the whole answer passed its cap. */
export function oversized({ key, began }: Progress, what: 'event' | 'answer'): AppError {
  const name = providerName(key)
  const message =
    what === 'event'
      ? `${name} sent far more data than an answer needs, so the answer was ended. ${kept(began)}`
      : `The answer of ${name} grew beyond 10 MB and was ended. What arrived is kept.`
  return retry(message)
}

/** An answer was to be resumed that the server does not know, or no longer. */
export function forgotten({ key }: Errand): AppError {
  return retry(`${providerName(key)} has not kept the rest of this answer. What arrived is kept. Try again.`)
}

/** An answer was to be resumed that now has a key of a provider that keeps none. */
export function unresumable(key: ModelKey): AppError {
  const name = key.provider === 'demo' ? 'The demo model' : providerName(key)
  return retry(`${name} cannot resume an answer. What arrived is kept. Try again.`)
}

/** A key with characters that no request can carry. */
export function unsendableKey({ key }: Errand): AppError {
  const message = `The key for ${providerName(key)} has characters that cannot be sent. Replace it in the vault.`
  return providerError('provider_auth', message, { remedy: 'vault' })
}
