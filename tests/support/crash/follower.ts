import { type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { between, type Chance } from './answers'

/** A frame as it came over the wire; `data` is the very text. */
export type SeenFrame = { seq: number; type: string; data: string }

const terminal = new Set(['completed', 'stopped', 'interrupted', 'failed'])
export const isTerminal = ({ type }: SeenFrame) => terminal.has(type)

type Where = { url: string; eventsUrl: string; token: string }
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
    const { url, eventsUrl, token } = this.where
    const byHeader = chance() < 0.5
    const query = byHeader || this.lastSeq < 0 ? '' : `?after=${this.lastSeq}`
    const headers = {
      authorization: `Bearer ${token}`,
      ...(byHeader && this.lastSeq >= 0 ? { 'last-event-id': String(this.lastSeq) } : {}),
    }
    return new Promise((done, fail) => {
      const call = request(url + eventsUrl + query, { headers, agent: false, signal }, (answer) => {
        answer.once('close', done).once('error', () => done())
        if (answer.statusCode === 200) this.read(answer, patience, () => call.destroy())
        else this.refused(answer)
      })
      call.once('error', fail).end()
    })
  }

  private refused(answer: IncomingMessage): void {
    answer.resume()
    // Starting, stopping, or its database is not there yet.
    if (answer.statusCode !== 503) this.faults.push(`a follower was answered ${answer.statusCode}`)
  }

  private read(answer: IncomingMessage, patience: number, leave: () => void): void {
    let buffer = ''
    let left = patience
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      const blocks = (buffer + chunk).split('\n\n')
      buffer = blocks.pop() ?? ''
      for (const block of blocks) if (!block.startsWith(':')) this.take(block)
      left -= blocks.length
      if (left <= 0) leave()
    })
  }

  private take(block: string): void {
    const [, seq, type = '', data = ''] = /^id: (\d+)\nevent: (\w+)\ndata: (.*)$/.exec(block) ?? []
    if (seq === undefined) return void this.faults.push(`not an event: ${JSON.stringify(block)}`)
    if (this.isOver) return void this.faults.push(`frame ${seq} came after the terminal one`)
    if (Number(seq) !== this.lastSeq + 1) this.faults.push(`frame ${seq} came after frame ${this.lastSeq}`)
    const frame = { seq: Number(seq), type, data }
    this.frames.push(frame)
    this.manner.seen?.(frame)
  }
}
