import type { Frame } from '../../lib/replies/frame'
import { type ReplyLog, readWhole } from '../../lib/replies/log'

type Claim = { epoch: number; frame: Frame }
type Takeover = { epoch: number; said: Frame[] }

/** Stands between all nodes and the real log, behind every fault, and writes down what truly happened to one reply. */
export class ReplyRecord {
  /** Frames that an append told to be written, by the epoch that wrote them. */
  readonly claims: Claim[] = []
  /** What was committed at the moment when a take-over had returned. */
  readonly takeovers: Takeover[] = []
  finishes = 0
}

/** What truly happened in the log, whatever the nodes were told. */
export class Witness {
  readonly log: ReplyLog
  private readonly real: ReplyLog
  private readonly records = new Map<string, ReplyRecord>()
  private readonly committed = new Map<string, string>()

  constructor(real: ReplyLog) {
    this.real = real
    this.log = { ...real, append: this.append, finish: this.finish, takeOver: this.takeOver }
  }

  /** What happened to one reply. */
  of(replyId: string): ReplyRecord {
    const record = this.records.get(replyId) ?? new ReplyRecord()
    this.records.set(replyId, record)
    return record
  }

  /** Whether this frame is on disk at this moment. */
  async isCommitted(replyId: string, frame: Frame): Promise<boolean> {
    if (this.committed.get(`${replyId} ${frame.seq}`) === frame.text) return true
    const [stored] = await this.real.read(replyId, frame.seq - 1)
    return stored?.seq === frame.seq && stored.type === frame.type && stored.text === frame.text
  }

  private readonly append: ReplyLog['append'] = async (batches) => {
    const lost = await this.real.append(batches)
    for (const { replyId, epoch, frames } of batches) {
      if (lost.includes(replyId)) continue
      for (const frame of frames) {
        this.of(replyId).claims.push({ epoch, frame: { ...frame } })
        this.committed.set(`${replyId} ${frame.seq}`, frame.text)
      }
    }
    return lost
  }

  private readonly finish: ReplyLog['finish'] = async (owner, seq, ending) => {
    const isOurs = await this.real.finish(owner, seq, ending)
    if (isOurs) this.of(owner.replyId).finishes += 1
    return isOurs
  }

  private readonly takeOver: ReplyLog['takeOver'] = async (lease, except, limit) => {
    const taken = await this.real.takeOver(lease, except, limit)
    for (const { replyId, epoch } of taken) {
      this.of(replyId).takeovers.push({ epoch, said: await readWhole(this.real, replyId) })
    }
    return taken
  }
}
