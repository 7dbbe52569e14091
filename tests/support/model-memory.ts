import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ModelCall } from '../../lib/providers'

/** What came of a call that a process of its own listened to. */
export type HeardApart = {
  /** Length of the text, in UTF-16 units, and how it begins. */
  units: number
  start: string
  isDone: boolean
  error: { name: string; code: string; message: string } | null
  /** The most memory that the whole process ever had, in MB. */
  peakMb: number
  /** What nobody caught. */
  unhandled: string[]
}

const run = promisify(execFile)

/** Listens to a call in a process of its own, whose memory is then known. */
export async function hearApart({ key, timeouts }: Pick<ModelCall, 'key' | 'timeouts'>): Promise<HeardApart> {
  const args = [
    '--import',
    './scripts/typescript.mjs',
    'tests/support/hear-cli.ts',
    JSON.stringify({ key, timeouts }),
  ]
  const { stdout } = await run(process.execPath, args)
  return JSON.parse(stdout)
}
