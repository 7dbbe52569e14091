import type { Tone } from '@/components/ui/status'
import { inDollars, inFull } from '@/components/usage/usage-words'
import type { TrafficEntry } from '@/lib/contracts/keys'

/** A length of time, as exact as one reads it. */
export function sayLength(ms: number): string {
  if (ms < 1000) return `${inFull(Math.round(ms))} ms`
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${inFull(Math.floor(seconds / 60))} min ${seconds % 60} s`
}

const smallDollars = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
})

/** What a call cost, to a hundredth of a cent; a tilde where its tokens were estimated. */
export function sayCost({ cost_usd, estimated }: TrafficEntry): string {
  if (cost_usd === null) return 'Unknown'
  const words = cost_usd >= 0.001 && cost_usd < 1 ? smallDollars.format(cost_usd) : inDollars(cost_usd)
  return `${estimated && cost_usd > 0 ? '~' : ''}${words}`
}

const isRefusal = (status: number | null) => status !== null && status >= 400

/** How a call went, by its status and its end. */
export function sayOutcome({ outcome, status, cache }: TrafficEntry): { tone: Tone; words: string } {
  const number = status === null ? '' : String(status)
  if (outcome === 'failed') {
    if (number === '') return { tone: 'bad', words: 'No answer' }
    // An answer that began well and then told of a failure: its status would say the opposite.
    return { tone: 'bad', words: isRefusal(status) ? `${number} Failed` : 'Failed' }
  }
  if (outcome === 'interrupted') return { tone: 'warn', words: 'Broken off' }
  if (outcome === 'stopped') return { tone: 'idle', words: 'Stopped' }
  return { tone: 'good', words: number || (cache === 'hit' ? 'From cache' : 'Done') }
}

const statusWords: Record<number, string> = {
  400: 'The model server found a fault in what was asked.',
  401: 'The model server refused the provider key. Replace it in the vault.',
  403: 'The provider key may not do this.',
  404: 'The model server has no such model, or not for this provider key.',
  408: 'The model server took too long.',
  413: 'What was asked is larger than the model server takes.',
  429: 'The model server had enough: too many requests, or no credit left.',
}

/** Why a call did not end as it should, in a sentence; null where it did. */
export function explainOutcome({ outcome, status }: TrafficEntry): string | null {
  if (outcome === 'completed') return null
  if (outcome === 'stopped') return 'The program left before the answer had ended. What had come is counted.'
  if (outcome === 'interrupted') return 'The answer broke off. What had come is counted.'
  if (status === null) return 'No model server answered.'
  if (status >= 500) return 'The model server failed.'
  if (!isRefusal(status)) return 'The model server began to answer and then failed. What had come is counted.'
  return statusWords[status] ?? `The model server refused it with status ${status}.`
}

/** What the cache had to do with a call: an answer that did not end well is not kept. */
function sayCache({ cache, outcome }: TrafficEntry): string | null {
  if (cache === null) return null
  if (cache === 'hit') return 'From here, at no cost'
  return outcome === 'completed' ? 'Asked, and kept' : 'Asked, and not kept'
}

/** What sets a call apart from most, in a few words; null where nothing does. */
export function sayMarks({ retries, cache }: TrafficEntry): string | null {
  const marks = [cache === 'hit' ? 'From cache' : null, retries === 0 ? null : sayRetries(retries)]
  return marks.filter((mark) => mark !== null).join(' · ') || null
}

const sayRetries = (count: number) => `${inFull(count)} ${count === 1 ? 'retry' : 'retries'}`

/** All that is known of a call beyond its line in the table, as heading and text. */
export function listCallFacts(entry: TrafficEntry): [heading: string, text: string][] {
  const { at, endpoint, provider, credential_label, retries, request_id } = entry
  const { input_tokens, cached_tokens, output_tokens, first_token_ms, duration_ms } = entry
  const known: [string, string | null][] = [
    ['What happened', explainOutcome(entry)],
    ['Time', `${at.replace('T', ' ').replace('Z', '')} UTC`],
    ['Call', endpoint],
    ['Provider', provider],
    ['Provider key', credential_label],
    ['Tokens', sayTokens(input_tokens, cached_tokens, output_tokens)],
    ['Counted', entry.estimated ? 'By estimate: the server told no figures' : null],
    ['First token', first_token_ms === null ? null : sayLength(first_token_ms)],
    ['Took', sayLength(duration_ms)],
    ['Tried again', retries === 0 ? null : `${inFull(retries)} ${retries === 1 ? 'time' : 'times'}`],
    ['Cache', sayCache(entry)],
    ['Request', request_id],
  ]
  return known.filter((fact): fact is [string, string] => fact[1] !== null)
}

function sayTokens(input: number, cached: number, output: number): string {
  const ofThem = cached === 0 ? '' : ` (${inFull(cached)} cached)`
  return `${inFull(input)} in${ofThem}, ${inFull(output)} out`
}
