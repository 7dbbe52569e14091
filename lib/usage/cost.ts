import type { Price, Rates } from './price-list'

/** Digits behind the point of a price per million tokens; a token's price has six more. */
const priceDigits = 6
const costDigits = priceDigits + 6

export type Tokens = {
  inputTokens: number
  cachedTokens: number
  /** Null or missing where nobody says. */
  cacheWriteTokens?: number | null
  outputTokens: number
}

/**
 * What so many tokens cost, in US dollars with twelve digits behind the point, exactly. Those read from a cache and those
 * written to it are parts of the input; where nobody says how many were written, all that were not read may have been.
 */
export function costOf(price: Price, tokens: Tokens): string {
  const { inputTokens, cachedTokens, cacheWriteTokens, outputTokens } = tokens
  const { input, cachedInput, cacheWrite, output } = ratesFor(price, inputTokens)
  const cached = Math.min(cachedTokens, inputTokens)
  const fresh = inputTokens - cached
  const written = Math.min(cacheWriteTokens ?? fresh, fresh)
  const units =
    BigInt(fresh - written) * toUnits(input) +
    BigInt(written) * toUnits(cacheWrite ?? input) +
    BigInt(cached) * toUnits(cachedInput ?? input) +
    BigInt(outputTokens) * toUnits(output)
  const digits = units.toString().padStart(costDigits + 1, '0')
  return `${digits.slice(0, -costDigits)}.${digits.slice(-costDigits)}`
}

/** A price per million tokens as a whole number of 1e-12 US dollars per token. */
function toUnits(price: string): bigint {
  const [whole = '0', fraction = ''] = price.split('.')
  return BigInt(whole + fraction.slice(0, priceDigits).padEnd(priceDigits, '0'))
}

/** What is asked of a call with so many input tokens. */
function ratesFor(price: Price, inputTokens: number): Rates {
  return price.beyond && inputTokens > price.beyond.inputTokens ? price.beyond : price
}

/**
 * A price by which no call of so many input tokens at most costs less than by the one given: each token at what it can
 * cost at most.
 */
export function dearestPrice(price: Price, mostInputTokens: number): Rates {
  // The call may also turn out to be shorter than where the other rates begin, so that both can be asked.
  const all = [price, ratesFor(price, mostInputTokens)]
  const inputs = all.flatMap(({ input, cachedInput, cacheWrite }) => [
    input,
    cachedInput ?? input,
    cacheWrite ?? input,
  ])
  return { input: dearest(inputs), cachedInput: null, output: dearest(all.map(({ output }) => output)) }
}

function dearest(prices: string[]): string {
  return prices.reduce((most, price) => (toUnits(price) > toUnits(most) ? price : most))
}
