const mostTries = 5
const firstDelayMs = 200
const longestDelayMs = 2000

/** How often a broken connection is made anew, and how soon: five times without any progress. */
export class Recovery {
  #tries = 0
  #timer: NodeJS.Timeout | undefined
  #cause: Error | undefined

  /** The connection is being made anew, and nothing has come of it yet. */
  get isUnderWay(): boolean {
    return this.#tries > 0
  }

  /** What broke the connection first, which is what to tell if nothing helps. */
  get cause(): Error | undefined {
    return this.#cause
  }

  /** Tries again after a while, at most `limitMs`; false if that was done often enough. */
  tryAgain(cause: Error, again: () => void, limitMs: number): boolean {
    if (this.#tries >= mostTries) return false
    this.#cause ??= cause
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** this.#tries, limitMs)
    this.#timer = setTimeout(again, Math.max(0, delayMs))
    this.#tries += 1
    return true
  }

  /** Something new has come. */
  succeed(): void {
    this.#tries = 0
    this.#cause = undefined
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
