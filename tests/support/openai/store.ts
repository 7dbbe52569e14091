import type { Production } from './production.ts'
import type { ResponseStream } from './response-stream.ts'
import type { Body } from './types.ts'

/** A Response that can be retrieved. */
export type StoredResponse = {
  stream: ResponseStream
  production: Production
  request: Body
  /** The input of this turn, as items with ids. */
  input: Body[]
  previous?: StoredResponse
}

/** An uploaded file. */
export type StoredFile = { file: Body; bytes: Buffer }

const mostKept = 2000

/** What the server remembers between requests. */
export class Store {
  readonly responses = new Map<string, StoredResponse>()
  readonly files = new Map<string, StoredFile>()

  /** Keeps a Response; of more than 2000 the oldest is forgotten. */
  keepResponse(id: string, stored: StoredResponse): void {
    this.responses.set(id, stored)
    if (this.responses.size > mostKept) this.responses.delete(this.responses.keys().next().value ?? '')
  }

  clear(): void {
    for (const { production } of this.responses.values()) production.stop()
    this.responses.clear()
    this.files.clear()
  }
}
