import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BudgetNode, killBudgetNodes, startBudgetNode } from '../support/budget-node'
import { BudgetWorld, type Schedule, schedules } from '../support/budget-world'
import { openLibrary } from '../support/library'

const numRuns = Number(process.env.PROPERTY_RUNS ?? 30)
/** In daily use the time is what counts; whoever names a number of runs gets them. */
const interruptAfterTimeLimit = process.env.PROPERTY_RUNS ? numRuns * 3000 : 18_000
const seed = process.env.PROPERTY_SEED ? { seed: Number(process.env.PROPERTY_SEED) } : {}

let close: () => Promise<void>
let other: BudgetNode

beforeAll(async () => {
  close = await openLibrary()
  other = await startBudgetNode()
})
afterAll(async () => {
  killBudgetNodes()
  await close()
})

async function play(schedule: Schedule): Promise<void> {
  const world = new BudgetWorld(other, schedule)
  await world.run().catch((error: unknown) => {
    throw new Error([String(error), '', ...world.story].join('\n'))
  })
}

test(
  'whatever two servers do with a key, its meter says what the ledger and its calls do, and no budget is overspent',
  async () => {
    const details = await fc.check(fc.asyncProperty(schedules, play), {
      numRuns,
      interruptAfterTimeLimit,
      ...seed,
    })
    const said = details.failed
      ? `${JSON.stringify(details.counterexample)}\n\n${details.errorInstance}\n\nPROPERTY_SEED=${details.seed}, after ${details.numRuns} runs`
      : ''
    expect(said).toBe('')
  },
  60_000 + interruptAfterTimeLimit,
)
