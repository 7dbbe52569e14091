// What the commands say to the person who waits for them. Plain JavaScript for Node 20.19: it runs before any install.

const HEARTBEAT_MS = 10_000

/** Something that the person can mend; told in one line, without a stack. */
export class Problem extends Error {}

/** @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`)
}

/** @param {number} sinceMs */
export function secondsSince(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
}

/**
 * Tells that something is being done, that it still is, and how long it took.
 * @template T
 * @param {string} doing such as `Installing packages`
 * @param {() => Promise<T>} work
 */
export async function step(doing, work) {
  const started = performance.now()
  say(`  ${doing} …`)
  const heartbeat = setInterval(
    () => say(`  … still ${lowerFirst(doing)} (${secondsSince(started)})`),
    HEARTBEAT_MS,
  )
  try {
    const result = await work()
    say(`  ${doing}: done in ${secondsSince(started)}`)
    return result
  } finally {
    clearInterval(heartbeat)
  }
}

/** @param {string} text */
function lowerFirst(text) {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

/**
 * Runs a command's main function; a Problem ends it with its one line and exit code 1.
 * @param {() => Promise<void>} main
 */
export async function runCommand(main) {
  try {
    await main()
  } catch (error) {
    if (error instanceof Problem) process.stderr.write(`\nAL-Chat: ${error.message}\n`)
    else console.error(error)
    process.exit(1)
  }
}
