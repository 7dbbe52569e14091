/** What ends an event: a blank line, in either way of ending lines. */
const blankLines = [Buffer.from('\n\n'), Buffer.from('\r\n\r\n')]
/** The event that tells what a stream used and says nothing: OpenAI sends it to those who ask, as the last one. */
const saysNothing = /"choices"\s*:\s*\[\s*\]/
const tellsUsage = /"usage"\s*:\s*\{/
/** An event that tells a use is short; a longer one is somebody's words. */
const maxEventBytes = 8192

/**
 * Takes the event with the use out of a stream of completions whose reader did not ask for it: code that reads the first
 * choice of every event would fail at it. Everything else passes as it is.
 */
export class UsageFilter {
  #rest: Buffer = Buffer.alloc(0)

  stream(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (bytes, controller) => {
        const passed = this.take(bytes)
        if (passed.length > 0) controller.enqueue(passed)
      },
      flush: (controller) => {
        if (this.#rest.length > 0) controller.enqueue(this.#rest)
      },
    })
  }

  /** The events that are whole by now, without the one about the use; a long event need not be whole to pass. */
  take(bytes: Uint8Array): Buffer {
    const all = Buffer.concat([this.#rest, bytes])
    const passed: Buffer[] = []
    let start = 0
    for (let end = endOfEvent(all, 0); end !== -1; end = endOfEvent(all, start)) {
      const event = all.subarray(start, end)
      if (!isAboutUse(event)) passed.push(event)
      start = end
    }
    const rest = all.subarray(start)
    const isLong = rest.length > maxEventBytes
    this.#rest = isLong ? Buffer.alloc(0) : Buffer.from(rest)
    if (isLong) passed.push(rest)
    return Buffer.concat(passed)
  }
}

/** Where the event that begins at `start` ends (exclusive), or -1. */
function endOfEvent(bytes: Buffer, start: number): number {
  const ends = blankLines.flatMap((blank) => {
    const at = bytes.indexOf(blank, start)
    return at === -1 ? [] : [at + blank.length]
  })
  return ends.length === 0 ? -1 : Math.min(...ends)
}

function isAboutUse(event: Buffer): boolean {
  if (event.length > maxEventBytes) return false
  const text = event.toString('latin1')
  return saysNothing.test(text) && tellsUsage.test(text)
}
