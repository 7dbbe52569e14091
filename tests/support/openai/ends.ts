import type { Script } from './types.ts'

/** What fails when a script does not say what. */
export const serverFault = {
  type: 'server_error',
  code: 'server_error',
  message: 'The server had an error while processing your request. Sorry about that!',
}

const whole = ['completed', 'incomplete', 'no_done', 'cut_before_end']

/** How many deltas come before the scripted end takes hold. */
export function deltasBefore(script: Script, total: number): number {
  if (script.after !== undefined) return script.after
  if (whole.includes(script.end ?? 'completed')) return Number.POSITIVE_INFINITY
  return Math.max(1, Math.floor(total / 2))
}

/** Tells whether the answer itself fails, rather than its connection. */
export function endsInFailure({ end = 'completed' }: Script): boolean {
  return end === 'failed' || end === 'error_nested' || end === 'error_flat'
}

/** After how many deltas the answer fails; `undefined` when it does not. */
export function deltasBeforeFailure(script: Script, total: number): number | undefined {
  return endsInFailure(script) ? deltasBefore(script, total) : undefined
}
