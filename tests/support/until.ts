import { vi } from 'vitest'

/** Tries a check again until it holds; what it said last is thrown after 15 s, so that a busy machine fails no test. */
export function until<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, 15_000)
}
