import { expect, test } from 'vitest'
import { runCrashes } from '../support/crash/run'

const ROUNDS = 5
const LIMIT_MS = 300_000

test(`${ROUNDS} crashes while answers are written lose no frame that anybody saw, and end each answer once`, async () => {
  const report = await runCrashes({
    rounds: ROUNDS,
    limitMs: LIMIT_MS,
    seed: Date.now() % 1_000_000,
    say: () => {},
  })
  expect(report.violations, JSON.stringify(report)).toEqual([])
  expect(report.rounds).toBe(ROUNDS)
  expect(report.framesCompared).toBeGreaterThan(0)
})
