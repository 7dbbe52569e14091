const dayMs = 24 * 60 * 60 * 1000

/** So many days before a key ends, the page begins to say so. */
const soonDays = 14

const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' })

/** When an API key ends, seen from the moment `asOf`. */
export function sayEnd(
  expiresAt: string | null,
  asOf: string,
): { tone: 'good' | 'warn' | 'bad'; words: string } {
  if (expiresAt === null) return { tone: 'good', words: 'Never' }
  const leftMs = Date.parse(expiresAt) - Date.parse(asOf)
  const on = day.format(new Date(expiresAt))
  if (leftMs <= 0) return { tone: 'bad', words: `Ended on ${on}` }
  return { tone: leftMs <= soonDays * dayMs ? 'warn' : 'good', words: on }
}
