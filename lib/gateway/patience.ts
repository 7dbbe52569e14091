import { setTimeout as sleep } from 'node:timers/promises'
import { asAppError } from '../errors'

const retryMs = 200
const patienceMs = 30_000

/**
 * Does again what the database could not do at the moment, for as long as a restart of it may take. Throws what is wrong
 * with the work itself at once.
 */
export async function withPatience<T>(work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (asAppError(error).code === 'internal' || performance.now() > giveUpAt) throw error
      await sleep(retryMs)
    }
  }
}
