import { setTimeout as sleep } from 'node:timers/promises'
import { asAppError } from '../errors'
import { log } from '../log'
import { parseJson } from '../providers'
import type { LentKey } from '../vault'
import type { InputGuess } from './input-guess'
import { askHolder } from './keyholder'
import { asObject, type JsonObject } from './translate/json'

/** So long a server may think of one count, in milliseconds. */
const patienceMs = 5000
const waitsMs = [250, 1000]

/** What a server says of a call's input; `refused` and `failed` where it says nothing. */
export type Counted = number | 'refused' | 'failed'

/**
 * As many tokens as a call tells the model in one turn, where its server is the one to know. It is asked again where it
 * fails, and may take 16 s in all. Source: OpenAI's "Get input token counts". Never throws.
 */
export async function countInput({ count, beside }: InputGuess, key: LentKey | null): Promise<Counted> {
  if (count === null || key === null) return 'refused'
  for (let tries = 0; ; tries++) {
    const said = await askOnce(key, count)
    if (typeof said === 'number') return said + beside
    const waitMs = waitsMs[tries]
    if (said === 'refused' || waitMs === undefined) return said
    await sleep(waitMs)
  }
}

async function askOnce(key: LentKey, body: JsonObject): Promise<Counted> {
  try {
    const { status, text } = await askHolder({
      key,
      method: 'POST',
      path: '/responses/input_tokens',
      signal: AbortSignal.timeout(patienceMs),
      body,
    })
    const { input_tokens: tokens } = asObject(parseJson(text))
    if (status === 200 && Number.isSafeInteger(tokens)) return tokens as number
    return status >= 500 || status === 429 ? 'failed' : 'refused'
  } catch (error) {
    log().info({ err: asAppError(error) }, 'the input of a call could not be counted')
    return 'failed'
  }
}
