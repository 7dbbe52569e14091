import { hideKey, type ModelKey } from '../providers'
import { accountNames } from './refusal'

/** What an error stands under, and how an event that is one calls itself. */
const mark = Buffer.from('"error"')
const hasFault = /"error"\s*:\s*["{]|"type"\s*:\s*"error"/
const isErrorEvent = /^"type"\s*:\s*"error"/
/** What begins a text, and what nests. */
const tokenStarts = /["{}[\]]/g
/** Where an answer or an event tells of its own fault; an `error` elsewhere is somebody's words or a schema. */
const faultPlaces = new Set(['', 'response', 'choices'])
/** More of an event that goes on, or of a whole answer, is not held back. */
const maxHeldBytes = 8 * 1024 * 1024
const blankLines = ['\n\n', '\r\n\r\n', '\r\r'].map((line) => Buffer.from(line))
const longestBlank = 4
const eventEnds = /(?<=\n\n|\r\n\r\n|\r\r)/

/**
 * Takes the key and the names of its account out of the errors that an answer of status 200 tells, and leaves all other
 * bytes as they are. Of a stream, an event passes when it is whole; an answer that is none, at its end.
 */
export class FaultWords {
  readonly #key: ModelKey
  readonly #isStream: boolean
  #held: Buffer[] = []
  #heldLength = 0
  /** What is too large to be held passes unread up to its end. */
  #passesOn = false

  constructor(key: ModelKey, isStream: boolean) {
    this.#key = key
    this.#isStream = isStream
  }

  /** What can go on by now; may be nothing. */
  take(bytes: Buffer): Buffer {
    const end = this.#isStream ? this.#endOfEvents(bytes) : 0
    if (end === 0) return this.#hold(bytes)
    const passed = this.#release(bytes.subarray(0, end))
    if (end === bytes.length) return passed
    return Buffer.concat([passed, this.#hold(bytes.subarray(end))])
  }

  /** The rest: nothing more comes. */
  end(): Buffer {
    return this.#release(Buffer.alloc(0))
  }

  #hold(bytes: Buffer): Buffer {
    this.#held.push(bytes)
    this.#heldLength += bytes.length
    if (!this.#passesOn && this.#heldLength <= maxHeldBytes) return Buffer.alloc(0)
    const passed = this.#release(Buffer.alloc(0))
    this.#passesOn = true
    // The end of the event may be cut in two.
    this.#held = [passed.subarray(Math.max(0, passed.length - longestBlank + 1))]
    this.#heldLength = this.#held[0]?.length ?? 0
    return passed.subarray(0, passed.length - this.#heldLength)
  }

  #release(bytes: Buffer): Buffer {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([...this.#held, bytes])
    this.#held = []
    this.#heldLength = 0
    // What begins within an event passes as it is up to that one's end.
    const from = this.#passesOn ? this.#endOfFirst(all) : 0
    this.#passesOn = false
    const told = this.#hide(all.subarray(from))
    return from === 0 ? told : Buffer.concat([all.subarray(0, from), told])
  }

  #hide(bytes: Buffer): Buffer {
    // Most of what passes tells of no error, and need not be taken apart.
    if (bytes.indexOf(mark) === -1) return bytes
    // One character a byte: what is no UTF-8 stays as it is, too.
    const text = bytes.toString('latin1')
    if (!hasFault.test(text)) return bytes
    const events = this.#isStream ? text.split(eventEnds) : [text]
    const changed = events
      .map((event) => (hasFault.test(event) ? hideInJson(event, this.#key) : event))
      .join('')
    return changed === text ? bytes : Buffer.from(changed, 'latin1')
  }

  #endOfFirst(bytes: Buffer): number {
    const [first = ''] = this.#isStream ? bytes.toString('latin1').split(eventEnds, 1) : []
    return this.#isStream ? first.length : bytes.length
  }

  /** Where in these bytes the last whole event ends (exclusive); 0 where none does. */
  #endOfEvents(bytes: Buffer): number {
    const before = this.#lastHeld()
    const all = before.length === 0 ? bytes : Buffer.concat([before, bytes])
    return Math.max(0, endOfLastEvent(all) - before.length)
  }

  #lastHeld(): Buffer {
    const last = this.#held.at(-1)
    if (last === undefined || last.length >= longestBlank)
      return last?.subarray(1 - longestBlank) ?? Buffer.alloc(0)
    return Buffer.concat(this.#held.slice(1 - longestBlank)).subarray(1 - longestBlank)
  }
}

function endOfLastEvent(bytes: Buffer): number {
  let end = 0
  for (const blank of blankLines) {
    const at = bytes.lastIndexOf(blank)
    if (at !== -1) end = Math.max(end, at + blank.length)
    if (end === bytes.length) return end
  }
  return end
}

/** Goes through an event's text by its tokens and rewrites those texts of its errors that say too much. */
function hideInJson(event: string, key: ModelKey): string {
  const isError = isErrorItself(event)
  const place = new Place()
  const told: string[] = []
  let toldTo = 0
  for (const { token, at } of tokensOf(event)) {
    if (token[0] !== '"') place.nest(token)
    else if (isName(event, at + token.length)) place.name(token)
    else if (isError || place.isFault) {
      told.push(event.slice(toldTo, at), hideInText(token, key))
      toldTo = at + token.length
    }
  }
  return told.join('') + event.slice(toldTo)
}

/** Whether the event is an error as a whole, with its words beside its type. */
function isErrorItself(event: string): boolean {
  const place = new Place()
  for (const { token, at } of tokensOf(event)) {
    if (token[0] !== '"') place.nest(token)
    else if (isName(event, at + token.length)) {
      place.name(token)
      if (place.depth === 1 && isErrorEvent.test(event.slice(at, at + 64))) return true
    }
  }
  return false
}

/** The texts of JSON, and what nests. No pattern reads the texts: they may be too long for one. */
function* tokensOf(event: string): Generator<{ token: string; at: number }> {
  let from = 0
  for (let at = nextToken(event, from); at !== -1; at = nextToken(event, from)) {
    from = event[at] === '"' ? endOfText(event, at) : at + 1
    // A text that is cut off is none.
    if (from === 0) return
    yield { token: event.slice(at, from), at }
  }
}

function nextToken(event: string, from: number): number {
  tokenStarts.lastIndex = from
  return tokenStarts.exec(event)?.index ?? -1
}

/** Where the text that begins at `start` ends (exclusive); 0 where it does not. */
function endOfText(event: string, start: number): number {
  for (let at = event.indexOf('"', start + 1); at !== -1; at = event.indexOf('"', at + 1)) {
    let before = at
    while (event[before - 1] === '\\') before--
    if ((at - before) % 2 === 0) return at + 1
  }
  return 0
}

/** Whether the text that ends there names a field. */
function isName(event: string, end: number): boolean {
  let at = end
  while (event[at] === ' ' || event[at] === '\n' || event[at] === '\r' || event[at] === '\t') at++
  return event[at] === ':'
}

/** Where in an object one is. */
class Place {
  /** Under which names what is open stands; null for a member of a list, and for the whole. */
  readonly #open: (string | null)[] = []
  #name: string | null = null
  /** How much was open where the error began. */
  #faultDepth: number | null = null

  get depth(): number {
    return this.#open.length
  }

  get isFault(): boolean {
    return this.#faultDepth !== null || this.#isAtFault()
  }

  name(token: string): void {
    this.#name = token.slice(1, -1)
  }

  nest(token: string): void {
    if (token === '{' || token === '[') {
      if (this.#faultDepth === null && this.#isAtFault()) this.#faultDepth = this.depth
      this.#open.push(this.#name)
      this.#name = null
      return
    }
    this.#open.pop()
    this.#name = null
    if (this.depth === this.#faultDepth) this.#faultDepth = null
  }

  #isAtFault(): boolean {
    return this.#name === 'error' && faultPlaces.has(this.#open.filter((name) => name !== null).join('.'))
  }
}

/** One JSON text; as it came, where it says nothing of the key or its account. */
function hideInText(token: string, key: ModelKey): string {
  const words = parseText(Buffer.from(token, 'latin1').toString('utf8'))
  if (words === null) return token
  const told = hideKey(words, key).replaceAll(accountNames, '•••')
  return told === words ? token : Buffer.from(JSON.stringify(told)).toString('latin1')
}

function parseText(token: string): string | null {
  try {
    return JSON.parse(token) as string
  } catch {
    return null
  }
}
