import { randomUUID } from 'node:crypto'
import { log } from '../log'
import { remember } from '../remember'
import { foldParts } from './frame'
import { deleteFoldedFrames, finishReply, readFrames, renewLeases, takeOverExpired } from './store'

export const leaseMs = 6000
const everyMs = 2000
const sweepEveryMs = 60_000
const keepFramesMs = 600_000
const takeOverLimit = 100

/** Names this process among those that write replies. */
export const nodeId = () => remember('replies.node', randomUUID)

/** Renews this node's leases and takes over expired ones, every two seconds until stopped. */
export function keepLeases(running: {
  ids: () => string[]
  lose: (id: string) => void
}): () => Promise<void> {
  let lastSweepAt = 0
  let turn = Promise.resolve()
  const look = async () => {
    const lost = await renewLeases({ nodeId: nodeId(), leaseMs, runningIds: running.ids() })
    for (const id of lost) running.lose(id)
    await interruptAbandoned(running.ids())
    if (performance.now() - lastSweepAt < sweepEveryMs) return
    lastSweepAt = performance.now()
    await deleteFoldedFrames(keepFramesMs)
  }
  const timer = setInterval(() => {
    turn = turn.then(look).catch((error) => log().warn({ err: error }, 'leases could not be looked after'))
  }, everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await turn
  }
}

/** Ends replies whose writer is gone: what was committed stays, and the page can continue from it. */
export async function interruptAbandoned(runningIds: string[]): Promise<void> {
  const abandoned = await takeOverExpired({ nodeId: nodeId(), leaseMs, runningIds }, takeOverLimit)
  for (const { id, epoch } of abandoned) {
    const frames = await readFrames(id, -1, Number.MAX_SAFE_INTEGER >>> 0)
    await finishReply(
      { replyId: id, epoch, seq: (frames.at(-1)?.seq ?? -1) + 1 },
      {
        type: 'interrupted',
        parts: foldParts(frames),
        usage: null,
        error: null,
        model: null,
        provider: null,
        finish: null,
      },
    )
  }
}
