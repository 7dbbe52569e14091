import type { Ending, Frame } from '../../lib/replies/frame'
import type { Lease, Owner, ReplyLog } from '../../lib/replies/log'
import type { OpenRow, StoredMessage } from './reply-rows'

/** A log, and what stands around it: how replies come, go, and what becomes of their messages. */
export type LogBench = {
  log: ReplyLog
  /** A new running reply under this lease; one of less than 0 ms has run out. Its epoch is 1. */
  openReply: (lease: Lease) => Promise<OpenRow>
  deleteReply: (row: OpenRow) => Promise<void>
  findMessage: (row: OpenRow) => Promise<StoredMessage | null>
}

const forLong = 600_000
export const expired = -1000

export const frame = (seq: number, text = `<${seq}>`): Frame => ({ seq, type: 'text', text })
export const framesFrom = (first: number, count: number, text?: string) =>
  Array.from({ length: count }, (_, n) => frame(first + n, text))
export const leaseOf = (nodeId: string, leaseMs = forLong): Lease => ({ nodeId, leaseMs })
/** An ending without anything special in it, but for `change`. */
export const completed = (change: Partial<Ending> = {}): Ending => ({
  type: 'completed',
  parts: [],
  usage: null,
  error: null,
  model: null,
  provider: null,
  finish: null,
  ...change,
})

/** What the tests of a log do again and again. */
export class Hands {
  readonly log: ReplyLog
  readonly deleteReply: LogBench['deleteReply']
  readonly findMessage: LogBench['findMessage']
  private readonly bench: LogBench

  constructor(bench: LogBench) {
    this.bench = bench
    this.log = bench.log
    this.deleteReply = bench.deleteReply
    this.findMessage = bench.findMessage
  }

  readonly open = async (lease: Partial<Lease> = {}): Promise<OpenRow & { owner: Owner }> => {
    const row = await this.bench.openReply({ nodeId: 'node', leaseMs: forLong, ...lease })
    return { ...row, owner: { replyId: row.replyId, epoch: 1 } }
  }

  readonly openMany = (count: number, lease: Partial<Lease>) =>
    Promise.all(Array.from({ length: count }, () => this.open(lease)))

  readonly appendTo = (owner: Owner, frames: Frame[]) => this.log.append([{ ...owner, frames }])

  /** Nothing that another test left behind is in the way. */
  readonly clearExpired = async () => {
    while ((await this.log.takeOver(leaseOf('nobody'), [], 1000)).length > 0);
  }
}
