import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JournalEntry } from './types.ts'

/** The requests that were got, in order; of more than the limit the oldest are dropped. */
export class Journal {
  readonly entries: JournalEntry[] = []
  private readonly limit: number
  private nextId = 1

  constructor(limit: number) {
    this.limit = limit
  }

  /** Notes a request as soon as its body is there, and later how it ended. */
  record(request: IncomingMessage, response: ServerResponse, body: unknown): JournalEntry {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const { method = 'GET', url: path = '/' } = request
    const entry: JournalEntry = { id: this.nextId, method, path, headers, body, at: Date.now() }
    this.nextId += 1
    this.entries.push(entry)
    if (this.entries.length > this.limit) this.entries.shift()
    response.once('close', () => {
      entry.status = response.headersSent ? response.statusCode : undefined
    })
    return entry
  }

  /** Forgets all; those who hold the list see it empty. */
  clear(): void {
    this.entries.length = 0
  }
}

/** Notes on the entry when the client leaves before the answer is whole. */
export function watchClient(entry: JournalEntry, request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  const left = () => {
    if (!response.writableFinished && !closedHere.has(socket)) entry.closedByClientAt ??= Date.now()
  }
  response.once('close', left)
}

const closedHere = new WeakSet<object>()

/** Tells the journal that this side is about to close a connection. */
export function markClosedHere(socket: object): void {
  closedHere.add(socket)
}

/** What was written needs this long to arrive; a reset throws away what has not left. */
const settleMs = 20

/** Breaks the connection of an answer from this side, after what was written has left. */
export async function breakConnection(response: ServerResponse, how: 'reset' | 'drop'): Promise<void> {
  if (response.headersSent) await sleep(settleMs)
  const { socket } = response
  if (socket === null) return
  closedHere.add(socket)
  if (how === 'reset') socket.resetAndDestroy()
  else socket.destroy()
}
