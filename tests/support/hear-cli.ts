// node --import ./scripts/typescript.mjs tests/support/hear-cli.ts CALL: listens to one call in a process of its own and
// prints what came of it and how much memory it took. CALL is JSON: `{ "key": ..., "timeouts": ... }`.
import { readFileSync } from 'node:fs'
import { streamModel } from '../../lib/providers'
import { callTo } from './model-call'
import type { HeardApart } from './model-memory'

const { key, timeouts } = JSON.parse(process.argv[2] ?? '{}')
const heard: HeardApart = { units: 0, start: '', isDone: false, error: null, peakMb: 0, unhandled: [] }
const note = (error: unknown) => heard.unhandled.push(String(error))
process.on('uncaughtException', note).on('unhandledRejection', note)

try {
  for await (const event of streamModel(callTo(key, { timeouts }))) {
    if (event.type === 'done') heard.isDone = true
    else if (event.type === 'text') {
      heard.units += event.text.length
      if (heard.start.length < 100) heard.start += event.text.slice(0, 100)
    }
  }
} catch (error) {
  const { name, code, message } = error as { name: string; code: string; message: string }
  heard.error = { name, code, message }
}
// What goes on by itself after the end is counted too.
await new Promise((resolve) => setTimeout(resolve, 200))
heard.peakMb = peakMb()
process.stdout.write(JSON.stringify(heard))
process.exit()

/** Where there is no /proc, the number may count what the parent had as well. */
function peakMb(): number {
  const { maxRSS } = process.resourceUsage()
  try {
    const own = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return Math.round(Number(own ?? maxRSS) / 1024)
  } catch {
    return Math.round(maxRSS / 1024)
  }
}
