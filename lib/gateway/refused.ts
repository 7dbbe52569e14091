import type { Forwarded } from '../providers'
import { type LentKey, noteOutcome } from '../vault'
import { toChatRefusal } from './anthropic/errors'
import { passHeaders } from './headers'
import { readRefusal } from './refusal'

/** What a model server refused, as often as it is to be told. */
export type Refused = { tell: () => Response }

/** Reads an answer of 400 or more as its caller may see it, and notes against the key what it says against it. */
export async function readRefused(key: LentKey, answer: Forwarded): Promise<Refused> {
  const headers = passHeaders(answer.headers)
  headers.set('content-type', 'application/json')
  const { refusal, cause } = await readRefusal(
    key,
    answer,
    key.provider === 'anthropic' ? ofAnthropic(key) : undefined,
  )
  void noteOutcome(key, cause)
  return { tell: () => Response.json({ error: refusal.error }, { status: refusal.status, headers }) }
}

/** What Anthropic says against a call, in OpenAI's words. */
const ofAnthropic = (key: LentKey) => (status: number, body: unknown) => {
  const { status: told, error } = toChatRefusal(key, status, body)
  return { status: told, body: { error } }
}
