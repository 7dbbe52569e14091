import { setTimeout as sleep } from 'node:timers/promises'
import { asAppError } from '../errors'
import { log } from '../log'
import { parseJson } from '../providers'
import type { LentKey } from '../vault'
import { type InputGuess, inputOfTurns } from './input-guess'
import { askHolder } from './keyholder'
import { asObject } from './translate/json'

/** So long a server may think of one count. */
const patienceMs = 15_000
const waitsMs = [250, 1000]

/**
 * As many tokens as a call's input was, of which its server told nothing. Where the call does not show all of it, its
 * server is asked to count; where that cannot say, it is the most that it may have been. Never throws.
 */
export async function countInput(
  guess: InputGuess,
  key: LentKey | null,
  runs: number | null,
): Promise<number> {
  const counted = guess.count && key && (await askCount(key, guess.count.body))
  const first = counted === null || guess.count === null ? guess.tokens : counted + guess.count.beside
  return inputOfTurns(first, guess, runs)
}

/** What the server says; null where it does not, also when it is asked again. Source: OpenAI's "Get input token counts". */
async function askCount(key: LentKey, body: object): Promise<number | null> {
  for (let tries = 0; ; tries++) {
    const said = await askOnce(key, body)
    const waitMs = waitsMs[tries]
    if (typeof said === 'number' || said === 'refused' || waitMs === undefined)
      return typeof said === 'number' ? said : null
    await sleep(waitMs)
  }
}

async function askOnce(key: LentKey, body: object): Promise<number | 'refused' | 'failed'> {
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
