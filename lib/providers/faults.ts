import type { ReplyError } from '../contracts/conversations'
import type { CredentialFailure } from '../contracts/credentials'
import { AppError, type ErrorCode } from '../errors'
import { at, stringAt } from './json'
import type { ModelKey } from './port'

type Remedy = ReplyError['remedy']

/** Whom a call went to and for what; enough to say what went wrong. */
export type Errand = { key: ModelKey; model: string | null }

/** What a model server said of its error, by HTTP or in the stream. */
export type Fault = {
  /** Null where the error came inside a stream. */
  status: number | null
  code: string | null
  message: string | null
  param: string | null
  retryAfterSeconds?: number
}

const longestQuote = 300
/** More of foreign words is not even looked at. */
const longestReading = 65_536
const shortestSecret = 4

type Details = {
  remedy: Remedy
  /** What this says against the key and its address, if anything. */
  failure?: CredentialFailure
  cause?: unknown
  retryAfterSeconds?: number
  /** For programs, where the kind of error is not enough. */
  code?: string
}

/** An error in the reader's words with what the page should offer. The cause must not quote the upstream. */
export function providerError(code: ErrorCode, message: string, details: Details): AppError {
  const { remedy, failure, cause, retryAfterSeconds } = details
  return new AppError(code, message, {
    cause,
    retryAfterSeconds,
    facts: { remedy, ...(failure && { failure }), ...(details.code && { code: details.code }) },
  })
}

/** The provider's name for people: `OpenAI`, or the host of any other. */
export function providerName(key: ModelKey): string {
  if (key.provider === 'anthropic') return 'Anthropic'
  return key.provider === 'openai' ? 'OpenAI' : new URL(key.baseUrl).host
}

function keyWords(key: ModelKey): string {
  return key.last4 === null ? 'the key' : `the key ending ${key.last4}`
}

/** As much of foreign words as is read, which does not end within a secret. */
function beginningOf(words: string, secrets: string[]): string {
  if (words.length <= longestReading) return words
  const cut = words.slice(0, longestReading)
  const starts = secrets.map((secret) => words.lastIndexOf(secret, longestReading - 1))
  const torn = starts.filter(
    (start, index) => start >= 0 && start + (secrets[index] ?? '').length > longestReading,
  )
  return cut.slice(0, Math.min(longestReading, ...torn))
}

/** Foreign words without the key or anything like one, and otherwise as they are. */
export function hideKey(words: string, key: ModelKey): string {
  const secret = key.apiKey ?? ''
  if (isShort(secret) && words.includes(secret)) return '•••'
  return formsOf(secret)
    .reduce((text, form) => text.replaceAll(form, '•••'), words)
    .replaceAll(/\b(?:[spr]k[-_]|bearer )[\w.*-]{8,}/gi, '•••')
}

/** So short a key cannot be told from other words. */
function isShort(secret: string): boolean {
  return secret !== '' && secret.length < shortestSecret
}

function formsOf(secret: string): string[] {
  return secret === '' ? [] : [secret, encodeURIComponent(secret)]
}

/** Foreign words made fit to show: without the key or anything like one, on one line, of bounded length. */
export function quote(words: string | null, key: ModelKey): string | null {
  if (words === null) return null
  const secret = key.apiKey ?? ''
  if (isShort(secret) && words.includes(secret)) return null
  const masked = hideKey(beginningOf(words, formsOf(secret)), key)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  if (masked === '') return null
  const short = masked.length > longestQuote ? `${masked.slice(0, longestQuote - 1)}…` : masked
  return short.toWellFormed()
}

/** The fault in an error body, in the forms that OpenAI, Anthropic, vLLM, Ollama, FastAPI and OpenRouter use. */
export function readFault(body: unknown, status: number | null): Fault {
  const nested = at(body, 'error')
  const source = typeof nested === 'object' && nested !== null ? nested : body
  const code = at(source, 'code')
  const detail = stringAt(source, 'detail') ?? stringAt(source, 'detail', 'message')
  return {
    // Some put the HTTP status where OpenAI has a word, and the word where OpenAI has the kind.
    status: status ?? (typeof code === 'number' && code >= 400 && code < 600 ? code : null),
    code: typeof code === 'string' ? code : stringAt(source, 'type'),
    message: stringAt(source, 'message') ?? (typeof nested === 'string' ? nested : detail),
    param: stringAt(source, 'param'),
  }
}

type Rule = {
  when: (fault: Fault, errand: Errand) => boolean
  say: (errand: Errand, fault: Fault) => AppError
}

const named =
  (...codes: string[]) =>
  (fault: Fault) =>
    fault.code !== null && codes.includes(fault.code)
const status =
  (...statuses: number[]) =>
  (fault: Fault) =>
    fault.status !== null && statuses.includes(fault.status)
const saying = (words: RegExp) => (fault: Fault) => words.test(fault.message ?? '')
const either =
  (...tests: Rule['when'][]) =>
  (fault: Fault, errand: Errand) =>
    tests.some((test) => test(fault, errand))

function said({ key }: Errand, fault: Fault): string {
  const words = quote(fault.message, key)
  return words === null ? '.' : `: “${words}”`
}

function noModel({ key, model }: Errand): AppError {
  const scope = key.apiKey === null ? '' : ' for this key'
  const message = `${providerName(key)} has no model named ${model}${scope}. Choose another in the agent's settings.`
  return providerError('provider_failed', message, { remedy: 'settings' })
}

function refusedKey({ key }: Errand): AppError {
  const message = key.apiKey
    ? `${providerName(key)} refused ${keyWords(key)}. Replace it in the vault.`
    : `${providerName(key)} asks for a key. Add one in the vault.`
  return providerError('provider_auth', message, { remedy: 'vault', failure: 'refused' })
}

function noRight(errand: Errand, fault: Fault): AppError {
  const { key } = errand
  const message = `${providerName(key)} does not allow this with ${keyWords(key)}${said(errand, fault)} Check what the key may do, or replace it in the vault.`
  return providerError('provider_auth', message, { remedy: 'vault' })
}

function noCredit({ key }: Errand): AppError {
  const message = `The account of ${keyWords(key)} has no credit left at ${providerName(key)}. Add credit there, or replace the key in the vault.`
  return providerError('provider_failed', message, { remedy: 'vault', failure: 'quota' })
}

function tooMany({ key }: Errand, { retryAfterSeconds }: Fault): AppError {
  const wait =
    retryAfterSeconds === undefined
      ? 'in a moment'
      : `in ${retryAfterSeconds} ${retryAfterSeconds === 1 ? 'second' : 'seconds'}`
  const message = `${providerName(key)} is getting too many requests with ${keyWords(key)}. Try again ${wait}.`
  return providerError('provider_failed', message, { remedy: 'retry', retryAfterSeconds })
}

function tooLong({ model }: Errand): AppError {
  const message = `This conversation is longer than ${model ?? 'the model'} can read. Start a new chat, or choose a model with more room in the agent's settings.`
  return providerError('invalid_input', message, { remedy: 'settings' })
}

function filtered({ key }: Errand): AppError {
  const message = `The content filter of ${providerName(key)} stopped this. Change the message and send it again.`
  return providerError('invalid_input', message, { remedy: 'retry' })
}

function overloaded({ key }: Errand, { retryAfterSeconds }: Fault): AppError {
  const message = `${providerName(key)} is overloaded at the moment. Try again in a while.`
  return providerError('provider_failed', message, { remedy: 'retry', retryAfterSeconds })
}

function tookTooLong({ key }: Errand): AppError {
  const message = `${providerName(key)} gave up on the answer because it took too long. Try again.`
  return providerError('provider_timeout', message, { remedy: 'retry' })
}

function notAccepted(errand: Errand, fault: Fault): AppError {
  const message = `${providerName(errand.key)} did not accept the request${said(errand, fault)} Check the agent's settings.`
  return providerError('invalid_input', message, { remedy: 'settings' })
}

function nothingThere({ key }: Errand): AppError {
  const message = `${providerName(key)} has nothing that answers at ${new URL(key.baseUrl).pathname}. Check the address in the vault.`
  return providerError('provider_failed', message, { remedy: 'vault', failure: 'wrong_api' })
}

function ownError(errand: Errand, fault: Fault): AppError {
  const number = fault.status === null ? '' : ` (status ${fault.status})`
  const message = `${providerName(errand.key)} had an error of its own${number}${said(errand, fault)} Try again.`
  return providerError('provider_failed', message, { remedy: 'retry' })
}

const unknownModel: Rule['when'] = (fault, { model }) => {
  if (model === null) return false
  if (fault.status === 404 || fault.code === 'not_found_error') {
    return fault.code === 'model_not_found' || /\bmodel\b/i.test(fault.message ?? '')
  }
  return fault.code === 'model_not_found' || (fault.status === 400 && fault.param === 'model')
}

/** The first rule that fits speaks. Words come before numbers: they are the same by HTTP and in a stream. */
const rules: Rule[] = [
  { when: unknownModel, say: noModel },
  {
    when: either(
      named('insufficient_quota', 'billing_hard_limit_reached', 'billing_error'),
      status(402),
      // Anthropic has no other word for it.
      saying(/credit balance is too low/i),
    ),
    say: noCredit,
  },
  {
    when: either(
      named('context_length_exceeded', 'string_above_max_length', 'request_too_large'),
      saying(/^prompt is too long\b/i),
    ),
    say: tooLong,
  },
  {
    when: named('content_filter', 'content_policy_violation', 'ResponsibleAIPolicyViolation'),
    say: filtered,
  },
  { when: either(named('invalid_api_key', 'authentication_error'), status(401)), say: refusedKey },
  { when: either(named('permission_error'), status(403)), say: noRight },
  { when: either(named('rate_limit_exceeded', 'rate_limit_error'), status(429)), say: tooMany },
  { when: either(named('timeout_error'), status(408, 504)), say: tookTooLong },
  { when: status(413), say: tooLong },
  { when: status(404, 405), say: nothingThere },
  {
    when: either(named('server_is_overloaded', 'slow_down', 'overloaded_error'), status(503, 529)),
    say: overloaded,
  },
  {
    when: either(
      named('invalid_prompt', 'invalid_request_error'),
      (fault) => fault.status !== null && fault.status >= 400 && fault.status < 500,
    ),
    say: notAccepted,
  },
  { when: () => true, say: ownError },
]

/** What a model server's error means for the person who asked, and what to do. Never holds the key. */
export function explainFault(errand: Errand, fault: Fault): AppError {
  const rule = rules.find(({ when }) => when(fault, errand))
  return (rule?.say ?? ownError)(errand, fault)
}
