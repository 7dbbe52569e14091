import type { JsonObject } from '../contracts/sessions'
import { localDay } from './clock'

export type LogEvent = 'session_start' | 'session_stop' | 'metric'

export type LogEntry = {
  event: LogEvent
  sessionName: string
  at: Date
  username?: string
  durationSeconds?: number
  metrics?: JsonObject
}

/** What ends a line for some reader, is not seen, or turns the text around it: controls, formats, separators. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** One line of the session log as the contract has it, without its end; no text in it can be taken for another line. */
export function formatLine({ event, sessionName, at, username, durationSeconds, metrics }: LogEntry): string {
  const entry = {
    event,
    session_id: sessionName,
    timestamp: at.toISOString(),
    date: localDay(at),
    username,
    duration_seconds: durationSeconds,
    metrics,
  }
  return JSON.stringify(entry).replace(unseen, escapeUnits)
}

function escapeUnits(text: string): string {
  return text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
