import type { How } from './exchange'

/** What is written down of an answer as it passes. */
export type Keeping = {
  /** Fires once the answer can be found again, or nothing more comes that could name it. */
  readonly named: Promise<unknown>
  keepWhole(bytes: Uint8Array): Promise<void>
  keepStream(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array>
  /** Writes down what it used. Never throws. */
  settle(how: How): Promise<void>
}
