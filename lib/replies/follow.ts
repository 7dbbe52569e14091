import { AppError } from '../errors'
import { type Frame, isTerminal } from './frame'
import { isFullPage, type ReplyLog, type Standing } from './log'
import type { Tail } from './tail'

/** A page of the frames after `after` that are committed and still in memory here; null where the log has to be read. */
export type Nearby = (after: number) => Frame[] | null

type Page = { frames: Frame[]; standing: Standing }

/**
 * The frames of a reply after `after`, replayed from the log, or from the memory of the node that writes it, and then
 * tailed; ends with the terminal frame. Those that are there together come together. Throws not_found, conflict.
 */
export async function* followFrames(
  { log, nearby }: { log: ReplyLog; nearby: Nearby },
  tail: Tail,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Frame[]> {
  let last = after
  while (!signal.aborted) {
    for (let isMore = true; isMore && !signal.aborted; ) {
      const { frames, standing } = await readPage(log, nearby, tail.replyId, last)
      requireOrder(frames, last)
      if (frames.length > 0) yield frames
      last = frames.at(-1)?.seq ?? last
      if (isOver(frames)) return
      isMore = isFullPage(frames)
      if (!isMore && standing.type !== 'running') return yield fold(standing, last)
    }
    for (let frames = await tail.next(last); frames; frames = await tail.next(last)) {
      requireOrder(frames, last)
      yield frames
      last = frames.at(-1)?.seq ?? last
      if (isOver(frames)) return
    }
  }
}

async function readPage(log: ReplyLog, nearby: Nearby, replyId: string, after: number): Promise<Page> {
  const frames = nearby(after)
  if (frames) return { frames, standing: { type: 'running' } }
  // Read before the frames: what has ended by now has all of its frames committed.
  const standing = await log.find(replyId)
  if (!standing) throw new AppError('not_found', 'This answer is gone.')
  return { frames: await log.read(replyId, after), standing }
}

function isOver(frames: Frame[]): boolean {
  const last = frames.at(-1)
  return last !== undefined && isTerminal(last)
}

/** A gap is refused, never skipped. */
function requireOrder(frames: Frame[], last: number): void {
  if (frames.every(({ seq }, index) => seq === last + 1 + index)) return
  throw new AppError('conflict', 'A part of this answer is missing. Load the page again.')
}

/**
 * A reply whose frames are folded: its text in one piece for a follower who has nothing, and the terminal frame. That one
 * keeps its number, and tells the whole message: a gap before it is none.
 */
function fold({ type, lastSeq, text }: Exclude<Standing, { type: 'running' }>, last: number): Frame[] {
  const end: Frame = { seq: lastSeq, type, text: '' }
  return last < 0 && lastSeq > 0 && text !== '' ? [{ seq: 0, type: 'text', text }, end] : [end]
}
