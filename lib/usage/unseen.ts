/** Words follow each other faster; in a longer pause a model thinks, or writes what is told at once. In milliseconds. */
const longestGapMs = 1000

/** So much of a wait for the next word, in milliseconds, is a pause. */
export function pauseOf(ms: number): number {
  return ms > longestGapMs ? ms : 0
}

/** As many tokens as models that answer in one piece, or think first, write in a second where they are fast. */
const unseenPerSecond = 150

/**
 * Output of which its provider told no figure, in tokens: what was shown, and what may have been written while nothing was
 * shown (`silentMs`); no more than `most`, if that is known.
 */
export function withUnseen(shown: number, silentMs: number, most: number | null): number {
  const unseen = Math.ceil((silentMs / 1000) * unseenPerSecond)
  return Math.max(shown, Math.min(most ?? Infinity, shown + unseen))
}
