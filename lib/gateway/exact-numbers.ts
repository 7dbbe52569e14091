/** No integer of fewer digits is inexact. */
const manyDigits = /\d{16}/

type Json = typeof JSON & {
  /** Both are of ECMAScript 2026; runtimes before Node 22 lack them, and write such integers as JavaScript reads them. */
  rawJSON?(text: string): object
}
const json: Json = JSON

/**
 * Writes a value as JSON; integers beyond 2^53 that stand in `source`, the JSON that it was made from, keep all their
 * digits. Throws RangeError for what is nested too deeply.
 */
export function writeJson(value: unknown, source: Uint8Array): string {
  const { rawJSON } = json
  const exact = rawJSON ? findExact(source) : null
  if (!rawJSON || exact === null) return JSON.stringify(value)
  return JSON.stringify(value, (name, one: unknown) => {
    const text = typeof one === 'number' ? exact.get(placeOf(name, one)) : undefined
    return text === undefined ? one : rawJSON(text)
  })
}

const placeOf = (name: string, value: number) => `${name} ${value}`

/**
 * The inexact integers of a text, by their names and what they are read as; null where there are none. Of two that only
 * their digits tell apart nobody would know which is which: they are left out.
 */
function findExact(source: Uint8Array): Map<string, string> | null {
  const text = Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString('utf8')
  if (!manyDigits.test(text)) return null
  const found = new Map<string, string>()
  const doubtful = new Set<string>()
  JSON.parse(text, (name, value: unknown, context?: { source?: string }) => {
    const written = context?.source
    if (typeof value === 'number' && written !== undefined && isInexact(value, written)) {
      const place = placeOf(name, value)
      if ((found.get(place) ?? written) !== written) doubtful.add(place)
      found.set(place, written)
    }
    return value
  })
  for (const place of doubtful) found.delete(place)
  return found.size > 0 ? found : null
}

function isInexact(value: number, written: string): boolean {
  return /^-?\d+$/.test(written) && !Number.isSafeInteger(value)
}
