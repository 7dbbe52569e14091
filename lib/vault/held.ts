type Entry<T> = { value: T; timer: NodeJS.Timeout }

/** What is kept in memory for a while, under names; the oldest goes when there are too many. */
export class Held<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)?.value
  }

  set(name: string, value: T, forMs: number): void {
    this.delete(name)
    const oldest = this.#entries.size >= this.#most ? this.#entries.keys().next().value : undefined
    if (oldest !== undefined) this.delete(oldest)
    const timer = setTimeout(() => this.#entries.delete(name), forMs).unref()
    this.#entries.set(name, { value, timer })
  }

  delete(name: string): void {
    clearTimeout(this.#entries.get(name)?.timer)
    this.#entries.delete(name)
  }

  /** Drops all that this is true of. */
  drop(isUnwanted: (value: T) => boolean): void {
    for (const [name, { value }] of this.#entries) if (isUnwanted(value)) this.delete(name)
  }
}
