import type { Ending, Frame, TerminalType } from './frame'

/** Who writes a reply; a writer whose epoch is not the reply's any more has lost it. */
export type Owner = { replyId: string; epoch: number }

/** New frames of one reply, in order. */
type Batch = Owner & { frames: Frame[] }

/** What the next writer has to know when this one is gone: who answers, and how the answer can be picked up there. */
export type Upstream = { provider: string; model: string; [fact: string]: unknown }

/** Where a reply stands; with the number of its last frame and its text once it has ended. */
export type Standing = { type: 'running' } | { type: TerminalType; lastSeq: number; text: string }

/** How far a reply has come: the number of its newest frame, -1 for none. */
type Progress = { replyId: string; lastSeq: number }

/** Which node holds a lease, and for how long from now on. */
export type Lease = { nodeId: string; leaseMs: number }

/** A reply whose writer is gone, taken over under a new epoch. */
export type Abandoned = Owner & {
  userId: string
  messageId: string
  conversationId: string
  stopRequested: boolean
  upstream: Upstream | null
}

/** How much is read at once: so many frames, or the first ones that hold this many characters together. */
export const page = { frames: 500, length: 64 * 1024 }

/** Whether more frames may come after this page. */
export function isFullPage(frames: Frame[]): boolean {
  return frames.length >= page.frames || frames.reduce((sum, { text }) => sum + text.length, 0) >= page.length
}

/** All committed frames of a reply. */
export async function readWhole(log: ReplyLog, replyId: string): Promise<Frame[]> {
  const frames = await log.read(replyId, -1)
  for (let next = frames; isFullPage(next); ) {
    next = await log.read(replyId, next.at(-1)?.seq ?? -1)
    frames.push(...next)
  }
  return frames
}

/**
 * The port to where replies are kept. Every write either is committed when its promise resolves, or throws an AppError
 * and may or may not have been; doing it again is harmless.
 */
export type ReplyLog = {
  /** Commits frames of many replies at once. Those of lost replies are left out; returns whose they are. */
  append(batches: Batch[]): Promise<string[]>
  /** The next page of committed frames after `after`, in order; see `isFullPage`. */
  read(replyId: string, after: number): Promise<Frame[]>
  /** Null if the reply is gone. */
  find(replyId: string): Promise<Standing | null>
  /** How far each of these has come; those that are gone are left out. */
  findProgress(replyIds: string[]): Promise<Progress[]>
  /** Keeps what the next writer would have to know. */
  noteUpstream(owner: Owner, upstream: Upstream): Promise<void>
  /** Writes the terminal frame and folds the reply into its message, as one. False if it is not the owner's any more. */
  finish(owner: Owner, seq: number, ending: Ending): Promise<boolean>
  /** Leaves word for whoever writes the reply. */
  requestStop(replyId: string): Promise<void>
  /** Extends the leases of these replies; returns those that are still the node's, and whether they are to stop. */
  renew(lease: Lease, replyIds: string[]): Promise<{ replyId: string; stopRequested: boolean }[]>
  /** Ends every lease; for a node that knows that there is no other. */
  expireLeases(): Promise<void>
  /** Takes over at most `limit` replies whose lease has expired, except these. No older writer commits after this. */
  takeOver(lease: Lease, except: string[], limit: number): Promise<Abandoned[]>
  /**
   * Takes a reply over from itself, for a writer who does not know what became of its appends: none of them lands after
   * this. The same again is harmless. Null if the reply is not the owner's any more.
   */
  reclaim(lease: Lease, owner: Owner): Promise<Owner | null>
  /** Gives a running reply away: whoever looks next takes it over. */
  release(owner: Owner): Promise<void>
  /** Deletes frames of replies that ended at least this long ago, or that are gone. */
  sweep(keepMs: number): Promise<void>
}
