import type OpenAI from 'openai'
import { expect } from 'vitest'
import type { GatewayWorld } from './gateway'

export type StreamEvent = { type: string; sequence_number: number } & Record<string, unknown>

/** All events of a stream, as the official client understands them. */
export async function readEvents(stream: AsyncIterable<unknown>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of stream) events.push(event as StreamEvent)
  return events
}

/** The bytes of one GET. */
export async function getBytes(url: string, key: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
  return { status: answer.status, text: await answer.text() }
}

type Entry = {
  endpoint: string
  model: string
  outcome: string
  input_tokens: number
  output_tokens: number
  estimated: boolean
}

/** The rows that the ledger has for a key, once there are so many; and a moment later there are no more. */
export async function readLedger(
  { admin }: Pick<GatewayWorld, 'admin'>,
  keyId: string,
  count: number,
): Promise<Entry[]> {
  const read = async () => {
    const { body } = await admin.get<{ items: Entry[] }>(`/api/keys/${keyId}/traffic`)
    return body.items
  }
  await expect.poll(async () => (await read()).length, { timeout: 30_000 }).toBe(count)
  return read()
}

/** What a call is refused with, as the official client tells it. */
export async function refusalOf(call: PromiseLike<unknown>) {
  const error = await Promise.resolve(call).then(
    () => null,
    (fault: unknown) => fault as InstanceType<typeof OpenAI.APIError>,
  )
  return error && { status: error.status, code: error.code, param: error.param, message: error.message }
}
