import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDatabase, stopDatabase } from '../../lib/db'
import { postgresLog } from '../../lib/replies/postgres-log'
import { createScratchDatabase, type ScratchDatabase } from '../support/database'
import { findFaults } from '../support/reply-invariants'
import { deleteConversation, findStoredMessage, insertReader, insertReply } from '../support/reply-rows'
import { describeSchedule, type Schedule, schedules } from '../support/reply-schedule'
import { World } from '../support/reply-world'

const numRuns = Number(process.env.PROPERTY_RUNS ?? 30)
/** In daily use the time is what counts; whoever names a number of runs gets them. */
const interruptAfterTimeLimit = process.env.PROPERTY_RUNS ? numRuns * 3000 : 18_000
const seed = process.env.PROPERTY_SEED ? { seed: Number(process.env.PROPERTY_SEED) } : {}

let scratch: ScratchDatabase
let reader: Awaited<ReturnType<typeof insertReader>>

beforeAll(async () => {
  scratch = await createScratchDatabase()
  // What the nodes log of all that goes wrong would hide what matters.
  Object.assign(process.env, { DATABASE_URL: scratch.url, LOG_LEVEL: 'fatal' })
  await startDatabase()
  reader = await insertReader()
})
afterAll(async () => {
  await stopDatabase()
  await scratch.drop()
})

async function play(schedule: Schedule): Promise<void> {
  const world = new World(
    { log: postgresLog, insertReply: (nodeId, leaseMs) => insertReply(reader, { nodeId, leaseMs }) },
    schedule,
  )
  await world.run()
  const faults = await findFaults(world, postgresLog, findStoredMessage)
  for (const { row } of world.replies) await deleteConversation(row.conversationId)
  if (faults.length > 0) throw new Error([...faults, '', ...world.story].join('\n'))
}

test(
  'whatever happens to two or three nodes, what was seen is stored, once, in order, and every reply ends once',
  async () => {
    const details = await fc.check(fc.asyncProperty(schedules, play), {
      numRuns,
      interruptAfterTimeLimit,
      ...seed,
    })
    const [schedule] = details.counterexample ?? []
    const said = schedule
      ? `${describeSchedule(schedule)}\n\n${details.errorInstance}\n\nPROPERTY_SEED=${details.seed}, after ${details.numRuns} runs`
      : ''
    expect(said).toBe('')
  },
  60_000 + interruptAfterTimeLimit,
)
