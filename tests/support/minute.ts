import { setTimeout as sleep } from 'node:timers/promises'

/** Waits, where a minute is about to end, for the next one: what follows is counted in one and the same. */
export async function withinOneMinute(): Promise<void> {
  const second = (Date.now() / 1000) % 60
  if (second > 40) await sleep((60.1 - second) * 1000)
}
