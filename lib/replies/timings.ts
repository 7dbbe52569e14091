/** How the reply log keeps time, all in milliseconds. */
export type Timings = {
  /** Commits of one node begin at least this far apart. */
  tickMs: number
  /** How long frames are tried to be committed before their replies are given up. */
  patienceMs: number
  retryMs: number
  /** A writer that is not heard of for this long has lost its replies. */
  leaseMs: number
  renewEveryMs: number
  /** How often a node looks for news of replies that other nodes write. */
  lookEveryMs: number
  sweepEveryMs: number
  /** How long the frames of an ended reply stay for late followers. */
  keepFramesMs: number
  /** How long a stopping node waits for its replies. */
  drainMs: number
}

export const usualTimings: Timings = {
  tickMs: 25,
  patienceMs: 30_000,
  retryMs: 200,
  leaseMs: 6000,
  renewEveryMs: 2000,
  lookEveryMs: 1000,
  sweepEveryMs: 60_000,
  keepFramesMs: 600_000,
  drainMs: 30_000,
}
