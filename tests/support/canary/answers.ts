import type { IncomingMessage, ServerResponse } from 'node:http'
import { brotliDecompressSync, constants, unzipSync } from 'node:zlib'
import { isLawful } from './lawful.ts'
import { secretsOfAnswer, secretsOfCookie } from './learning.ts'
import type { CanaryRecord } from './record.ts'
import { type Finding, type Searcher, type Secret, StreamSearch } from './searcher.ts'

/** What watches one server: what it looks for, where it writes down what it found, and how it learns more. */
export type Watch = { searcher: Searcher; record: CanaryRecord; learn: (secrets: Secret[]) => void }

/** A compressed answer is kept to its end; what is larger could not be read, which is told. */
const MAX_PACKED = 16 * 1024 * 1024
const MAX_TOLD = 64 * 1024
const tells = /^\/(api\/)?auth$|^\/api\/(auth\/(login|register)|keys|launch)$/

/** Searches one answer as it is written: its head, each piece of its body, and its trailers. */
export class WatchedAnswer {
  readonly #watch: Watch
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #body: StreamSearch
  readonly #path: string
  readonly #told: Buffer[] = []
  #packed: Buffer[] = []
  #size = 0
  #hasReadHead = false
  #isOver = false

  constructor(watch: Watch, request: IncomingMessage, response: ServerResponse) {
    this.#watch = watch
    this.#request = request
    this.#response = response
    this.#body = new StreamSearch(watch.searcher)
    this.#path = (request.url ?? '').split('?', 1)[0] ?? ''
    watch.record.count({ answers: 1 })
  }

  /** A piece of the body as it goes out, compressed where the answer is. */
  takeBody(piece: Buffer): void {
    this.#size += piece.length
    if (['', 'identity'].includes(this.#headerOf('content-encoding'))) this.#read(piece)
    else if (this.#size <= MAX_PACKED) this.#packed.push(Buffer.from(piece))
  }

  /** The head, once there is one: as it went out, whoever wrote it. */
  takeHead(): void {
    const head: unknown = Reflect.get(this.#response, '_header')
    if (this.#hasReadHead || typeof head !== 'string') return
    this.#hasReadHead = true
    for (const line of head.split('\r\n')) {
      const name = line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase()
      this.#search(new StreamSearch(this.#watch.searcher), Buffer.from(line, 'latin1'), name || 'status line')
      if (name === 'set-cookie') this.#watch.learn(secretsOfCookie(line))
    }
    this.#watch.record.count({ bytes: head.length })
  }

  /** The end of it, also of one that was cut off. */
  finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.takeHead()
    const trailer: unknown = Reflect.get(this.#response, '_trailer')
    if (typeof trailer === 'string' && trailer !== '')
      this.#search(new StreamSearch(this.#watch.searcher), Buffer.from(trailer, 'latin1'), 'trailer')
    if (this.#packed.length > 0) this.#readPacked()
    if (this.#told.length > 0) this.#watch.learn(secretsOfAnswer(Buffer.concat(this.#told).toString()))
  }

  /** As it went out, else as it will. What is given to `writeHead` is not in `getHeader`. */
  #headerOf(name: string): string {
    const head: unknown = Reflect.get(this.#response, '_header')
    if (typeof head !== 'string') return String(this.#response.getHeader(name) ?? '')
    return new RegExp(`^${name}: ?(.*)$`, 'im').exec(head)?.[1] ?? ''
  }

  #read(piece: Buffer): void {
    this.#watch.record.count({ bytes: piece.length })
    if (this.#headerOf('content-type').startsWith('text/event-stream'))
      this.#watch.record.count({ frames: countOf(piece, '\n\n') })
    this.#search(this.#body, piece, 'body')
    if (this.#request.method === 'POST' && tells.test(this.#path) && this.#size <= MAX_TOLD)
      this.#told.push(Buffer.from(piece))
  }

  #readPacked(): void {
    if (this.#size > MAX_PACKED) throw new Error(`an answer of ${this.#size} compressed bytes`)
    const packed = Buffer.concat(this.#packed)
    this.#packed = []
    if (this.#headerOf('content-encoding') === 'br')
      this.#read(brotliDecompressSync(packed, { finishFlush: constants.BROTLI_OPERATION_FLUSH }))
    // One that was cut off is read as far as it came.
    else this.#read(unzipSync(packed, { finishFlush: constants.Z_SYNC_FLUSH }))
  }

  #search(search: StreamSearch, bytes: Buffer, part: string): void {
    for (const finding of search.push(bytes)) if (!this.#isAllowed(finding, part)) this.#report(finding, part)
  }

  #isAllowed({ secret }: Finding, part: string): boolean {
    const { method = '', headers } = this.#request
    const byKey = /^bearer alc_/i.test(headers.authorization ?? '') || headers['x-api-key'] !== undefined
    const { statusCode: status } = this.#response
    return isLawful(secret.kind, { method, path: this.#path, status, part, byKey })
  }

  #report(finding: Finding, part: string): void {
    const { method } = this.#request
    // An address can hold a secret too, and the record is no place for it.
    const holds = this.#watch.searcher.find(Buffer.from(this.#path)).length > 0
    const path = holds ? '(an address with a secret)' : this.#path.slice(0, 120)
    this.#watch.record.report(finding, `${method} ${path} ${this.#response.statusCode}, ${part}`)
  }
}

function countOf(bytes: Buffer, text: string): number {
  let count = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) count += 1
  return count
}
