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
    const line = error instanceof Problem ? error.message : explainFiles(error)
    if (line) process.stderr.write(`\nAL-Chat: ${line}\n`)
    else console.error(error)
    process.exit(1)
  }
}

/**
 * What a person can do about a fault of the file system; undefined for any other error.
 * @param {unknown} error
 */
function explainFiles(error) {
  const { code, path = process.cwd() } = /** @type {NodeJS.ErrnoException} */ (error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull()
  if (code === 'EACCES' || code === 'EPERM') return `This user may not write ${path}: change its owner first.`
  if (code === 'EROFS') return `${path} is on a read-only disk.`
  return undefined
}

/** The line for a full disk under this checkout. */
export function diskFull() {
  return `The disk that holds ${process.cwd()} is full: free some space, then start again.`
}
