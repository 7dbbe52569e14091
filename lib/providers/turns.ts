import { remember } from '../remember'

const turnMs = 25

type Ticker = { waiting: Set<() => void>; timer: NodeJS.Timeout | null }

const ticker = () => remember('providers.turns', (): Ticker => ({ waiting: new Set(), timer: null }))

/**
 * Calls back once at the next turn, all who wait at the same one: what came for each meanwhile is then read at once.
 * Returns how to wait no longer.
 */
export function atNextTurn(begin: () => void): () => void {
  const state = ticker()
  state.waiting.add(begin)
  state.timer ??= setInterval(() => turn(state), turnMs)
  return () => state.waiting.delete(begin)
}

function turn(state: Ticker): void {
  const ready = [...state.waiting]
  state.waiting.clear()
  if (ready.length === 0 && state.timer) {
    clearInterval(state.timer)
    state.timer = null
  }
  for (const begin of ready) begin()
}
