import { PrismaClientKnownRequestError } from '@prisma/client/runtime/client'
import { AppError } from '../errors'

/** SQLSTATE classes and codes, from appendix A of the Postgres manual. */
const diskFull = /^53100$/
/** No connection, shutting down, a time limit of the server's own, too many clients, out of memory, a disk that fails, a standby that only reads. */
const noService = /^(08...|57P0.|57014|55P03|53[23]00|58030|25006)$/
/** A deadlock, or a serialization that failed: nothing was changed, and a second try helps. */
const collision = /^40(P01|001)$/
/** A text with a character that none has here: U+0000. */
const unwritable = /^22021$/
/** What the driver says in words alone. */
const noAnswer =
  /E(CONNREFUSED|CONNRESET|NOENT|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)|Connection terminated|closed the connection|connection error and is not queryable|timeout exceeded when trying to connect|Query read timeout/i
/** Prisma: no server, no connection in time, closed, no free connection, no transaction. */
const noClient = new Set(['P1001', 'P1002', 'P1017', 'P2024', 'P2028'])

/** A fault of the database as AppError; an AppError stays as it is. */
export function asStorageError(error: unknown): AppError {
  // Next bundles pages and routes apart, so the class may exist twice; its name is the same.
  if (error instanceof Error && error.name === 'AppError') return error as AppError
  const { sqlState, message, prismaCode } = readError(error)
  if (diskFull.test(sqlState)) {
    return new AppError('storage_full', 'The disk of the server is full, so this was not saved.', {
      cause: error,
    })
  }
  if (noService.test(sqlState) || noClient.has(prismaCode) || (sqlState === '' && noAnswer.test(message))) {
    return new AppError('unavailable', 'The database does not answer. Try again in a moment.', {
      cause: error,
      retryAfterSeconds: 2,
    })
  }
  if (collision.test(sqlState) || prismaCode === 'P2034') {
    return new AppError('unavailable', 'Somebody changed the same thing at this moment. Try again.', {
      cause: error,
      retryAfterSeconds: 1,
    })
  }
  if (unwritable.test(sqlState)) {
    return new AppError('invalid_input', 'This has a character that no text has: U+0000.', { cause: error })
  }
  if (prismaCode === 'P2002' || sqlState === '23505') {
    return new AppError('conflict', 'There is one like this already.', { cause: error })
  }
  if (prismaCode === 'P2025' || prismaCode === 'P2003' || sqlState === '23503') {
    return new AppError('not_found', 'It is not there, or no longer.', { cause: error })
  }
  return new AppError('internal', 'The server failed to answer this request.', { cause: error })
}

function readError(error: unknown): { sqlState: string; message: string; prismaCode: string } {
  const message = wordsOf(error)
  const prismaCode = error instanceof PrismaClientKnownRequestError ? error.code : ''
  return { sqlState: findSqlState(error, 4), message, prismaCode }
}

/** A refused connection to a name with several addresses has no message of its own, only a code. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error ? `${error.message} ${error.code}` : error.message
}

/** The adapter wraps what Postgres said a few levels deep: as `code`, `originalCode` or in `meta`. */
function findSqlState(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null || depth === 0) return ''
  for (const name of ['originalCode', 'code'] as const) {
    const code = (value as Record<string, unknown>)[name]
    if (typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) && !/^P[1-9]/.test(code)) return code
  }
  for (const name of ['cause', 'meta', 'driverAdapterError'] as const) {
    const found = findSqlState((value as Record<string, unknown>)[name], depth - 1)
    if (found) return found
  }
  return ''
}
