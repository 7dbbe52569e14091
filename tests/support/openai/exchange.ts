import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Body, JournalEntry, Script } from './types.ts'

/** One request being answered. */
export type Exchange = {
  request: IncomingMessage
  response: ServerResponse
  entry: JournalEntry
  /** The path without the query. */
  path: string
  query: URLSearchParams
  /** The JSON body; empty when there is none. */
  body: Body
  /** The bytes of the body. */
  raw: Buffer
  key: string
  script: Script
}

/** Sends a whole body with its type. */
export function send(
  exchange: Exchange,
  body: string | Buffer,
  type = 'application/json',
  status = 200,
): void {
  const { response } = exchange
  response.statusCode = status
  response.setHeader('content-type', type)
  response.setHeader('content-length', Buffer.byteLength(body))
  response.end(body)
}

/** Sends the headers of a stream. */
export function beginStream(exchange: Exchange): void {
  const { response } = exchange
  response.statusCode = 200
  response.setHeader('content-type', 'text/event-stream; charset=utf-8')
  response.flushHeaders()
}

/** Tells whether the connection is closed. */
export function isGone({ response }: Exchange): boolean {
  return response.destroyed || response.closed
}
