import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A line of the session log, as the contract has it. */
export type LoggedEvent = {
  event: 'session_start' | 'session_stop' | 'metric'
  session_id: string
  timestamp: string
  date: string
  username?: string
  duration_seconds?: number
  metrics?: Record<string, unknown>
}

/** All lines of all days in a folder, parsed; throws where one is no JSON object, or stands in another day's file. */
export function readSessionLog(folder: string): LoggedEvent[] {
  return listLogFiles(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    if (text !== '' && !text.endsWith('\n')) throw new Error(`${file} ends in the middle of a line`)
    const lines = text.split('\n').slice(0, -1)
    return lines.map((line) => {
      const entry = JSON.parse(line) as LoggedEvent
      if (file !== `session_${entry.date}.log`) throw new Error(`${file} has a line of ${entry.date}`)
      return entry
    })
  })
}

/** The files of the session log, the oldest day first. */
export function listLogFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
}
