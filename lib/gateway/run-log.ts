import { withPatience } from './patience'
import { insertEvents, type KeptEvent } from './run-rows'

/** Events are committed in groups that begin at least this far apart. */
const tickMs = 25
/** With so much waiting, the server is not read from. */
const mostWaitingUnits = 64 * 1024
/** So much of what was committed last is at hand for those who follow. */
const mostRecentUnits = 256 * 1024

/** The events of a response that is being made: committed first, then told. */
export class RunLog {
  readonly #id: string
  readonly #lost: (error: unknown) => void
  #waiting: KeptEvent[] = []
  #waitingUnits = 0
  #recent: KeptEvent[] = []
  #recentUnits = 0
  #flushing: Promise<void> | null = null
  #timer: NodeJS.Timeout | undefined
  #flushedAt = Number.NEGATIVE_INFINITY
  #isLost = false
  #changed = Promise.withResolvers<void>()

  /** `lost` is told once that nothing can be committed any more. */
  constructor(id: string, lost: (error: unknown) => void) {
    this.#id = id
    this.#lost = lost
  }

  /** Fires at the next commit, and at the end. */
  get changed(): Promise<void> {
    return this.#changed.promise
  }

  /** Takes events; waits where too many are not committed yet. */
  async append(events: KeptEvent[]): Promise<void> {
    if (this.#isLost || events.length === 0) return
    this.#waiting.push(...events)
    this.#waitingUnits += unitsOf(events)
    if (this.#waitingUnits > mostWaitingUnits) return this.flush()
    const dueMs = this.#flushedAt + tickMs - performance.now()
    this.#timer ??= setTimeout(() => void this.flush(), Math.max(0, dueMs))
  }

  /** Waits until all that was taken is committed, or lost. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#waiting.length > 0 && !this.#isLost) {
      this.#flushing ??= this.#commit().finally(() => {
        this.#flushing = null
      })
      await this.#flushing
    }
  }

  /** Tells those who follow of events that are committed. */
  tell(events: KeptEvent[]): void {
    this.#recent.push(...events)
    this.#recentUnits += unitsOf(events)
    while (this.#recentUnits > mostRecentUnits && this.#recent.length > 1)
      this.#recentUnits -= unitsOf(this.#recent.splice(0, 1))
    const told = this.#changed
    this.#changed = Promise.withResolvers()
    told.resolve()
  }

  /** The committed events after a number; null where they are not at hand. */
  after(seq: number): KeptEvent[] | null {
    const first = this.#recent[0]
    if (first === undefined || seq < first.seq - 1) return null
    return this.#recent.slice(seq - first.seq + 1)
  }

  async #commit(): Promise<void> {
    const group = this.#waiting
    this.#waiting = []
    this.#waitingUnits = 0
    this.#flushedAt = performance.now()
    const isOurs = await this.#insert(group)
    if (isOurs) this.tell(group)
    else this.#lose(null)
  }

  async #insert(group: KeptEvent[]): Promise<boolean> {
    try {
      return await withPatience(() => insertEvents(this.#id, group))
    } catch (error) {
      this.#lose(error)
      return false
    }
  }

  #lose(error: unknown): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#waiting = []
    this.#lost(error)
  }
}

function unitsOf(events: KeptEvent[]): number {
  return events.reduce((sum, { type, data }) => sum + type.length + data.length, 0)
}
