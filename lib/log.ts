import pino, { type DestinationStream, type Logger, type SerializedError } from 'pino'
import { env } from './env'
import { redact, redactText } from './log/redact'
import { remember } from './remember'

/** The process's structured log: one JSON object a line on standard output, at `LOG_LEVEL`, never with a secret. */
export function log(): Logger {
  return remember('log', () => openLog(env().LOG_LEVEL))
}

/** A log of this level; it goes to standard output unless a place is given. */
export function openLog(level: string, place?: DestinationStream): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: redactFields },
    serializers: { err: (error: unknown) => redact(toPlain(error)) },
    hooks: {
      logMethod(args, method) {
        method.apply(this, withMessage(args).map(redactSaid) as Parameters<typeof method>)
      },
    },
  }
  return place ? pino(options, place) : pino(options)
}

/** An error that comes without a message would become one as it is. */
function withMessage(args: unknown[]): unknown[] {
  const [first, ...rest] = args
  const error = first instanceof Error ? first : Object(first).err
  return error instanceof Error && rest.length === 0
    ? [first instanceof Error ? { err: error } : first, error.message]
    : args
}

function redactSaid(part: unknown): unknown {
  return typeof part === 'string' ? redactText(part) : part
}

/** Errors are left to their serializer, which knows their stack and cause. */
function redactFields(fields: object): Record<string, unknown> {
  const { err, ...rest } = fields as Record<string, unknown>
  const said = redact(rest) as Record<string, unknown>
  return err === undefined ? said : { ...said, err }
}

function toPlain(error: unknown): SerializedError | unknown {
  return error instanceof Error ? pino.stdSerializers.err(error) : error
}
