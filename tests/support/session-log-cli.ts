import { LogFile } from '../../lib/sessions/log-file'

/** Appends COUNT lines, numbered from FROM, to the log of one day in FOLDER; ends once all of them are on the disk. */
const [folder = '', from = '0', count = '0'] = process.argv.slice(2)
const log = new LogFile(folder)
const pending: Promise<void>[] = []
for (let n = 0; n < Number(count); n++) {
  const line = JSON.stringify({ n: Number(from) + n, text: 'c'.repeat(5000) })
  pending.push(log.append('2026-11-21', line, 60_000))
  if (n % 10 === 0) await pending.at(-1)
}
await Promise.all(pending)
