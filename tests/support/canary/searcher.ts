import { listSpellings, MIN_SECRET } from './spellings.ts'

/** What a secret is: a provider's key, one of ours, a session's token, a password, or from the environment. */
export type SecretKind = 'provider-key' | 'api-key' | 'token' | 'password' | 'environment'
export type Secret = { kind: SecretKind; value: string }

/** A secret that was found, in which form, and what stood before and after it. */
export type Finding = { secret: Secret; form: string; around: string }

type Pattern = { bytes: Buffer; form: string; secret: Secret }

const TABLE_BITS = 18
/** Every pattern is at least this long; its first bytes decide how far the search may jump. */
const WINDOW = MIN_SECRET
const BLOCK = 3
const JUMP = WINDOW - BLOCK + 1
const AROUND = 40

/**
 * Looks for any number of secrets at once, in all their spellings, in one pass over the bytes: Wu and Manber's
 * algorithm (1994), which jumps over most of them.
 */
export class Searcher {
  readonly #jumps = new Uint8Array(1 << TABLE_BITS).fill(JUMP)
  readonly #buckets = new Map<number, Pattern[]>()
  readonly #known = new Set<string>()
  #longest = 0

  constructor(secrets: Iterable<Secret> = []) {
    for (const secret of secrets) this.add(secret)
  }

  /** Returns false for what is known already, or too short to be looked for. */
  add(secret: Secret): boolean {
    if (this.#known.has(secret.value) || secret.value.length < MIN_SECRET) return false
    this.#known.add(secret.value)
    for (const { form, bytes } of listSpellings(secret.value)) this.#addPattern({ bytes, form, secret })
    return true
  }

  /** How many secrets it looks for. */
  get size(): number {
    return this.#known.size
  }

  /** How many bytes must be kept of a stream, so that nothing is missed between two of its pieces. */
  get overlap(): number {
    return Math.max(0, this.#longest - 1)
  }

  #addPattern(pattern: Pattern): void {
    const { bytes } = pattern
    this.#longest = Math.max(this.#longest, bytes.length)
    for (let at = 0; at <= WINDOW - BLOCK; at++) {
      const block = hashBlock(bytes, at)
      this.#jumps[block] = Math.min(this.#jumps[block] ?? 0, WINDOW - BLOCK - at)
    }
    const last = hashBlock(bytes, WINDOW - BLOCK)
    const bucket = this.#buckets.get(last)
    if (bucket) bucket.push(pattern)
    else this.#buckets.set(last, [pattern])
  }

  /** The secrets in these bytes, each once. */
  find(bytes: Buffer): Finding[] {
    const found = new Map<string, Finding>()
    for (let end = WINDOW - BLOCK; end + BLOCK <= bytes.length; ) {
      const block = hashBlock(bytes, end)
      const jump = this.#jumps[block] ?? 0
      if (jump > 0) {
        end += jump
        continue
      }
      const start = end - (WINDOW - BLOCK)
      for (const pattern of this.#buckets.get(block) ?? [])
        if (isAt(bytes, start, pattern.bytes) && !found.has(pattern.secret.value))
          found.set(pattern.secret.value, describeFinding(bytes, start, pattern))
      end += 1
    }
    return [...found.values()]
  }
}

/** A search through a stream: what begins in one piece and ends in another is found too, and told once. */
export class StreamSearch {
  readonly #searcher: Searcher
  readonly #told = new Set<string>()
  #tail = Buffer.alloc(0)

  constructor(searcher: Searcher) {
    this.#searcher = searcher
  }

  push(piece: Buffer): Finding[] {
    const bytes = this.#tail.length > 0 ? Buffer.concat([this.#tail, piece]) : piece
    // A copy: the piece is somebody else's, and may be written over.
    this.#tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - this.#searcher.overlap)))
    const found = this.#searcher.find(bytes).filter(({ secret }) => !this.#told.has(secret.value))
    for (const { secret } of found) this.#told.add(secret.value)
    return found
  }
}

function hashBlock(bytes: Buffer, at: number): number {
  const mixed = ((bytes[at] ?? 0) << 11) ^ ((bytes[at + 1] ?? 0) << 5) ^ (bytes[at + 2] ?? 0)
  return mixed & ((1 << TABLE_BITS) - 1)
}

function isAt(bytes: Buffer, start: number, pattern: Buffer): boolean {
  return (
    start + pattern.length <= bytes.length &&
    bytes.compare(pattern, 0, pattern.length, start, start + pattern.length) === 0
  )
}

/** What stands around it tells where it comes from; the secret itself is not written down once more. */
function describeFinding(bytes: Buffer, start: number, { bytes: own, form, secret }: Pattern): Finding {
  const before = bytes.subarray(Math.max(0, start - AROUND), start).toString('latin1')
  const after = bytes.subarray(start + own.length, start + own.length + AROUND).toString('latin1')
  const whole = Buffer.from(secret.value).toString('latin1')
  const around = `${before}[${secret.kind}]${after}`.replaceAll(whole, `[${secret.kind}]`)
  return { secret, form, around: around.replace(/[^\x20-\x7e]+/g, ' ') }
}
