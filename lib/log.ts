import pino, { type Logger } from 'pino'
import { env } from './env'
import { remember } from './remember'

/** The process's structured log: one JSON object a line on standard output, at `LOG_LEVEL`, never with a secret. */
export function log(): Logger {
  return remember('log', () =>
    pino({
      level: env().LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    }),
  )
}
