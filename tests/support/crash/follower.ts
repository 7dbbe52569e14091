import { type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { between, type Chance } from './answers'

/** A frame as it came over the wire; `data` is the very text. */
export type SeenFrame = { seq: number; type: string; data: string }

const terminal = new Set(['completed', 'stopped', 'interrupted', 'failed'])
export const isTerminal = ({ type }: SeenFrame) => terminal.has(type)

type Where = {
  url: string
  token: string
  replyId: string
  /** By the one stream of a browser, which carries everything, instead of the answer's own. */
  isLive?: boolean
}
type Manner = {
  chance: Chance
  /** Share of connections that are given up for no reason. */
  fickleness: number
  /** Is told of every frame. */
  seen?: (frame: SeenFrame) => void
}

/** Reads one reply to its end, through whatever happens to the server; notes everything, and what was wrong with it. */
export class Follower {
  readonly frames: SeenFrame[] = []
  readonly faults: string[] = []
  connections = 0
  endedAt = 0
  private readonly where: Where
  private readonly manner: Manner

  constructor(where: Where, manner: Manner) {
    this.where = where
    this.manner = manner
  }

  get lastSeq(): number {
    return this.frames.at(-1)?.seq ?? -1
  }

  get isOver(): boolean {
    const last = this.frames.at(-1)
    return last !== undefined && isTerminal(last)
  }

  /** Comes back until it has the terminal frame, or something is wrong for good. */
  async run(signal: AbortSignal): Promise<void> {
    const { chance } = this.manner
    while (!this.isOver && this.faults.length === 0 && !signal.aborted) {
      if (this.connections > 0) await sleep(between(chance, 10, 120))
      await this.connect(signal).catch(() => undefined)
    }
    this.endedAt = performance.now()
  }

  private connect(signal: AbortSignal): Promise<void> {
    this.connections += 1
    const { chance, fickleness } = this.manner
    const patience = chance() < fickleness ? between(chance, 1, 20) : Number.POSITIVE_INFINITY
    const { path, lastEventId } = this.place()
    const headers = {
      authorization: `Bearer ${this.where.token}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    }
    return new Promise((done, fail) => {
      const call = request(this.where.url + path, { headers, agent: false, signal }, (answer) => {
        answer.once('close', done).once('error', () => done())
        if (answer.statusCode === 200) this.read(answer, patience, () => call.destroy())
        else this.refused(answer)
      })
      call.once('error', fail).end()
    })
  }

  /** Where to ask for the rest: by the address, or as a browser does that comes back. */
  private place(): { path: string; lastEventId?: string } {
    const { replyId, isLive } = this.where
    if (isLive) return { path: `/api/events?replies=${replyId}:${this.lastSeq}` }
    const path = `/api/replies/${replyId}/events`
    if (this.lastSeq < 0) return { path }
    if (this.manner.chance() < 0.5) return { path, lastEventId: String(this.lastSeq) }
    return { path: `${path}?after=${this.lastSeq}` }
  }

  private refused(answer: IncomingMessage): void {
    const { statusCode } = answer.resume()
    // Starting, stopping, or its database is not there yet; or the seats of broken streams are not free yet.
    if (statusCode !== 503 && statusCode !== 429) this.faults.push(`a follower was answered ${statusCode}`)
  }

  private read(answer: IncomingMessage, patience: number, leave: () => void): void {
    let buffer = ''
    let left = patience
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      const blocks = (buffer + chunk).split('\n\n')
      buffer = blocks.pop() ?? ''
      for (const block of blocks) if (!block.startsWith(':')) this.takeBlock(block)
      left -= blocks.length
      // The stream of a browser does not end with an answer.
      if (left <= 0 || this.isOver) leave()
    })
  }

  private takeBlock(block: string): void {
    const [, , seq = '', type = '', data = ''] = /^(id: (\d+)\n)?event: (\w+)\ndata: (.*)$/.exec(block) ?? []
    if (type === '') return void this.faults.push(`not an event: ${JSON.stringify(block)}`)
    if (this.where.isLive) this.takeLive(type, data)
    else this.take({ seq: Number(seq), type, data })
  }

  private takeLive(event: string, data: string): void {
    if (event === 'reply_gone') this.faults.push('the answer was told to be gone')
    if (event !== 'reply') return
    const told = JSON.parse(data)
    this.take({ seq: told.seq, type: told.type, data: JSON.stringify(told.data) })
  }

  private take(frame: SeenFrame): void {
    const { seq } = frame
    if (this.isOver) return void this.faults.push(`frame ${seq} came after the terminal one`)
    if (seq !== this.lastSeq + 1) this.faults.push(`frame ${seq} came after frame ${this.lastSeq}`)
    this.frames.push(frame)
    this.manner.seen?.(frame)
  }
}
