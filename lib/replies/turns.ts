/**
 * When a source should gather more of its reply: from the beginning of a turn until what it gathered is committed.
 * A source that listens is woken once for each frame; to one that does not, all of this is nothing.
 */
export class Turns {
  private readonly listeners = new Set<() => void>()
  isTurn = true

  /** Calls back when a turn begins or ends, until the returned function is called. */
  onChange(changed: () => void): () => void {
    this.listeners.add(changed)
    return () => this.listeners.delete(changed)
  }

  begin(): void {
    this.change(true)
  }

  /** Ends the turn. Returns whether anybody waits for the next one. */
  end(): boolean {
    if (this.listeners.size === 0) return false
    this.change(false)
    return true
  }

  private change(isTurn: boolean): void {
    if (isTurn === this.isTurn) return
    this.isTurn = isTurn
    for (const changed of this.listeners) changed()
  }
}
