import { at, countAt, stringAt } from './json'
import type { Place, Resume } from './port'

/** Ids that can stand in a path as they are; `.` and `/` would lead elsewhere. */
const safeId = /^[\w-]{1,200}$/

/** The path of a response, or null for an id that is none. */
export function pathOfResponse(responseId: string): string | null {
  return safeId.test(responseId) ? `/responses/${responseId}` : null
}

/** No answer has as many items; a server that sends more is not remembered for it. */
const mostBegun = 1000

/** The part of the reasoning that an event belongs to. */
export function reasoningPartOf(event: unknown): string {
  const summary = countAt(event, 'summary_index')
  const place = summary === undefined ? `c${countAt(event, 'content_index')}` : `s${summary}`
  return `${countAt(event, 'output_index')}/${place}`
}

/** How far an answer in the background was read, and what a reader that began in its middle must find out. */
export class Bookmark {
  #responseId: string | null
  /** The last event that was read, -1 before the first; undefined where events have no numbers. */
  #last: number | undefined
  /** Events up to this one were read by an earlier connection. */
  #repeatedUntil: number
  #cursor: number | undefined
  /** The reader knows nothing of the reasoning before the place where it began. */
  #isLost: boolean
  readonly #reasoned: boolean | undefined
  readonly #begun = new Set<string>()

  constructor(resume: Resume | null | undefined) {
    this.#responseId = resume?.responseId ?? null
    this.#last = resume?.after ?? -1
    this.#repeatedUntil = this.#last
    this.#isLost = resume !== null && resume !== undefined && resume.after >= 0
    this.#reasoned = resume?.reasoned
  }

  /** The number up to which all is said once the text of the present event is. */
  get cursor(): number | undefined {
    return this.#cursor
  }

  /** Takes note of an event; false if it was read before. */
  take(event: unknown): boolean {
    const number = countAt(event, 'sequence_number')
    if (number !== undefined && number <= this.#repeatedUntil) return false
    this.#last = number
    this.#cursor = number
    return true
  }

  /** The present event says again what deltas said, or all at once: whoever resumes must get to it again. */
  holdBack(): void {
    if (this.#cursor !== undefined) this.#cursor -= 1
  }

  /** The id of the response, the first time that an event names it. */
  nameOf(event: unknown): string | null {
    const id = stringAt(event, 'response', 'id')
    const isKept = at(event, 'response', 'background') !== false
    if (this.#responseId !== null || id === null || !isKept || pathOfResponse(id) === null) return null
    this.#responseId = id
    return id
  }

  /** Notes that an item or a part of one begins, so that it is none that was half read before. */
  noteBeginning(event: unknown): void {
    if (!this.#isLost || this.#begun.size >= mostBegun) return
    const isItem = stringAt(event, 'type') === 'response.output_item.added'
    this.#begun.add(isItem ? `${countAt(event, 'output_index')}` : reasoningPartOf(event))
  }

  /** Whether the first reasoning after the place where the reader began is a new paragraph. Asked once. */
  beginsParagraph(part: string): boolean {
    if (!this.#isLost) return false
    this.#isLost = false
    const isNew = this.#begun.has(part) || this.#begun.has(part.slice(0, part.indexOf('/')))
    this.#begun.clear()
    return isNew && (this.#reasoned ?? !/^0\/.0$/.test(part))
  }

  get place(): Place | null {
    if (this.#responseId === null || this.#last === undefined) return null
    return { responseId: this.#responseId, after: this.#last }
  }

  /** A new connection begins where the last one ended, or before that. */
  reopen(): void {
    this.#repeatedUntil = this.#last ?? -1
  }
}
