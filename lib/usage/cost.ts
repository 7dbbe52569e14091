import type { Price } from './price-list'

/** Digits behind the point of a price per million tokens; a token's price has six more. */
const priceDigits = 6
const costDigits = priceDigits + 6

type Tokens = { inputTokens: number; cachedTokens: number; outputTokens: number }

/** What so many tokens cost, in US dollars with twelve digits behind the point, exactly. Cached ones are part of the input. */
export function costOf(price: Price, { inputTokens, cachedTokens, outputTokens }: Tokens): string {
  const cached = Math.min(cachedTokens, inputTokens)
  const units =
    BigInt(inputTokens - cached) * toUnits(price.input) +
    BigInt(cached) * toUnits(price.cachedInput ?? price.input) +
    BigInt(outputTokens) * toUnits(price.output)
  const digits = units.toString().padStart(costDigits + 1, '0')
  return `${digits.slice(0, -costDigits)}.${digits.slice(-costDigits)}`
}

/** A price per million tokens as a whole number of 1e-12 US dollars per token. */
function toUnits(price: string): bigint {
  const [whole = '0', fraction = ''] = price.split('.')
  return BigInt(whole + fraction.slice(0, priceDigits).padEnd(priceDigits, '0'))
}

/** What reading a token can cost at most, per million. */
export function dearestInput({ input, cachedInput }: Price): string {
  return cachedInput !== null && toUnits(cachedInput) > toUnits(input) ? cachedInput : input
}
