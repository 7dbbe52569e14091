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

  /** The stream without that event; read as it is read. */
  filter(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = source.getReader()
    return new ReadableStream(
      {
        pull: async (controller) => {
          // Of what comes, nothing may be left; whoever pulls waits for more.
          for (;;) {
            const { done, value } = await reader.read()
            const passed = done ? this.#rest : this.take(value)
            if (passed.length > 0) controller.enqueue(passed)
            if (done) controller.close()
            if (done || passed.length > 0) return
          }
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }

  /** The events that are whole by now, without the one about the use; a long event need not be whole to pass. */
  take(bytes: Uint8Array): Buffer {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const all = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    // Most pieces say nothing of a use, and need not be taken apart.
    const wholeEnd = tellsUsage.test(all.toString('latin1')) ? 0 : endOfLastEvent(all)
    const passed: Buffer[] = wholeEnd > 0 ? [all.subarray(0, wholeEnd)] : []
    let start = wholeEnd
    for (let end = endOfEvent(all, start); end !== -1; end = endOfEvent(all, start)) {
      const event = all.subarray(start, end)
      if (!isAboutUse(event)) passed.push(event)
      start = end
    }
    const rest = all.subarray(start)
    const isLong = rest.length > maxEventBytes
    this.#rest = isLong ? Buffer.alloc(0) : Buffer.from(rest)
    if (isLong) passed.push(rest)
    const [only] = passed
    return only && passed.length === 1 ? only : Buffer.concat(passed)
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

/** Where the last whole event ends (exclusive); 0 where none does. */
function endOfLastEvent(bytes: Buffer): number {
  const ends = blankLines.map((blank) => {
    const at = bytes.lastIndexOf(blank)
    return at === -1 ? 0 : at + blank.length
  })
  return Math.max(...ends)
}

function isAboutUse(event: Buffer): boolean {
  if (event.length > maxEventBytes) return false
  const text = event.toString('latin1')
  return saysNothing.test(text) && tellsUsage.test(text)
}
