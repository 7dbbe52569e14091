import fc from 'fast-check'
import { expect, test } from 'vitest'
import { postgresLog } from '../../lib/replies/postgres-log'
import { prepareReplies } from '../support/reply-bench'
import { findFaults } from '../support/reply-invariants'
import { deleteConversation, findStoredMessage } from '../support/reply-rows'
import { describeSchedule, type Schedule, schedules } from '../support/reply-schedule'
import { World } from '../support/reply-world'

const numRuns = Number(process.env.PROPERTY_RUNS ?? 30)
/** In daily use the time is what counts; whoever names a number of runs gets them. */
const interruptAfterTimeLimit = process.env.PROPERTY_RUNS ? numRuns * 3000 : 18_000
const seed = process.env.PROPERTY_SEED ? { seed: Number(process.env.PROPERTY_SEED) } : {}

const rows = prepareReplies()

async function play(schedule: Schedule): Promise<void> {
  const world = new World(
    {
      log: postgresLog,
      insertReply: rows.insert,
      deleteReply: ({ conversationId }) => deleteConversation(conversationId),
    },
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
