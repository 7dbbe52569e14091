import { remember } from '../remember'

const tickMs = 25
/** Up to this many streams are read from at every tick; each such number more, and they take turns. */
const streamsPerTurn = 50
const maxTurns = 4

/** Who waits, and for which tick. */
type Ticker = { waiting: Map<() => void, number>; tick: number; timer: NodeJS.Timeout | null }

const ticker = () => remember('providers.turns', (): Ticker => ({ waiting: new Map(), tick: 0, timer: null }))

/**
 * Calls back once at the next turn: at the next tick or, where many wait, at the second to fourth one. What came for each
 * meanwhile is then read at once. Returns how to wait no longer.
 */
export function atNextTurn(begin: () => void): () => void {
  const state = ticker()
  const { waiting } = state
  const turns = Math.min(maxTurns, Math.floor(waiting.size / streamsPerTurn) + 1)
  waiting.set(begin, state.tick + turns)
  state.timer ??= setInterval(() => turn(state), tickMs)
  return () => waiting.delete(begin)
}

function turn(state: Ticker): void {
  const { waiting, timer } = state
  if (waiting.size === 0 && timer) {
    clearInterval(timer)
    state.timer = null
  }
  state.tick += 1
  for (const [begin, due] of waiting) {
    if (due > state.tick) continue
    waiting.delete(begin)
    begin()
  }
}
