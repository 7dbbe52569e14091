import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Script } from './types.ts'

const crlfOf = (sse: string): string => sse.replaceAll('\n', '\r\n')

/** Writes a stream as the script splits it; `false` once the client is gone. */
export class StreamWriter {
  private readonly response: ServerResponse
  private readonly script: Script
  private random: () => number

  constructor(response: ServerResponse, script: Script) {
    this.response = response
    this.script = script
    const { split } = script
    this.random = seededRandom(typeof split === 'object' ? split.random : 1)
  }

  async write(sse: string): Promise<boolean> {
    return this.writeBytes(Buffer.from(this.script.crlf ? crlfOf(sse) : sse))
  }

  async writeBytes(bytes: Buffer): Promise<boolean> {
    for (const piece of this.split(bytes)) {
      if (this.gone) return false
      if (!this.response.write(piece)) await Promise.race([once(this.response, 'drain'), this.closed()])
      if (piece.length < bytes.length) await new Promise(setImmediate)
    }
    return !this.gone
  }

  /** The connection is closed, by whichever side. */
  get gone(): boolean {
    return this.response.destroyed || this.response.closed
  }

  private closed(): Promise<unknown> {
    return this.gone ? Promise.resolve() : once(this.response, 'close')
  }

  private *split(bytes: Buffer): Generator<Buffer> {
    const { split = 'events' } = this.script
    if (split === 'events') return yield bytes
    for (let at = 0; at < bytes.length; ) {
      const size = split === 'bytes' ? 1 : 1 + Math.floor(this.random() * 40)
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
}

/** Makes a generator of numbers in [0, 1) that gives the same numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
