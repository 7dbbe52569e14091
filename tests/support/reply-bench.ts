import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import { startDatabase, stopDatabase } from '../../lib/db'
import type { Bus } from '../../lib/replies/bus'
import type { Frame } from '../../lib/replies/frame'
import { type Adopt, ReplyNode } from '../../lib/replies/node'
import { postgresLog } from '../../lib/replies/postgres-log'
import type { Timings } from '../../lib/replies/timings'
import type { Opening } from '../../lib/replies/write'
import { createScratchDatabase, type ScratchDatabase } from './database'
import { makeFaultyLog, Weather } from './reply-faults'
import { LossyBus } from './reply-lossy-bus'
import { insertReader, insertReply, type OpenRow } from './reply-rows'

/** A database for the replies of one test file. What nodes log of faults that are meant stays unsaid. */
export function prepareReplies(): { insert: (nodeId: string, leaseMs: number) => Promise<OpenRow> } {
  let scratch: ScratchDatabase
  let reader: Awaited<ReturnType<typeof insertReader>>
  beforeAll(async () => {
    scratch = await createScratchDatabase()
    Object.assign(process.env, { DATABASE_URL: scratch.url, LOG_LEVEL: 'fatal' })
    await startDatabase()
    reader = await insertReader()
  })
  afterAll(async () => {
    await stopDatabase()
    await scratch.drop()
  })
  return { insert: (nodeId, leaseMs) => insertReply(reader, { nodeId, leaseMs }) }
}

/** Small enough that everything which takes seconds in earnest happens within a test. */
export const quickTimings: Timings = {
  tickMs: 2,
  patienceMs: 120,
  retryMs: 4,
  leaseMs: 150,
  renewEveryMs: 40,
  lookEveryMs: 15,
  sweepEveryMs: 50,
  keepFramesMs: 600_000,
  drainMs: 40,
}

/** A node on the real log through its own weather; `adopt` gives up what it takes over unless told otherwise. */
export function makeNode(name: string, options: { bus?: Bus; timings?: Partial<Timings> } = {}) {
  const weather = new Weather(() => {})
  const bus = options.bus ?? new LossyBus(['arrives']).at(0)
  const timings = { ...quickTimings, ...options.timings }
  const node = new ReplyNode({ nodeId: name, log: makeFaultyLog(postgresLog, weather), bus, timings })
  return { node, weather, bus }
}

/** An opening that counts how often it was told of an end. */
export function makeOpening(ended: Opening['ended'] = async () => {}): Opening {
  return { explain: ({ code, message }) => ({ code, message, remedy: 'retry' }), ended }
}

/** Gives up whatever is abandoned. */
export const giveUp: Adopt = async () => ({ opening: makeOpening(), source: null })

/** Follows from `after` to the end. */
export async function readToEnd(node: ReplyNode, replyId: string, after = -1): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const some of node.follow(replyId, after, new AbortController().signal)) frames.push(...some)
  return frames
}

/** Waits until it is so; the test's own time limit is the only one. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(5)
}
