import { Id, type Listing } from './contracts/primitives'
import { AppError } from './errors'

/** Where a list that is ordered by time, newest first, goes on: after the row of this time and id. */
export type Place = { at: Date; id: string }

/** What a caller asks of a list. */
export type PageRequest = { limit: number; cursor?: string | undefined }

const latestTimeMs = 8_640_000_000_000_000

/** The place as an opaque word. */
export function writeCursor({ at, id }: Place): string {
  return Buffer.from(`${at.getTime()}.${id}`).toString('base64url')
}

/** The place that a cursor names, null for the beginning. Throws invalid_input. */
export function readCursor(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null
  const [, time = '', id = ''] = /^(\d{1,16})\.(.+)$/.exec(decode(cursor)) ?? []
  if (!Id.safeParse(id).success || Number(time) > latestTimeMs) throw badCursor()
  return { at: new Date(Number(time)), id }
}

/** A version number as a cursor, for lists that are ordered by it. */
export function writeVersionCursor(version: number): string {
  return Buffer.from(`v${version}`).toString('base64url')
}

/** The version that a cursor names, null for the beginning. Throws invalid_input. */
export function readVersionCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null
  const version = /^v(\d{1,9})$/.exec(decode(cursor))?.[1]
  if (version === undefined) throw badCursor()
  return Number(version)
}

/** Rows that were read one more than the limit, as a page. */
export function toListing<R, T>(
  rows: R[],
  limit: number,
  show: { record: (row: R) => T; cursor: (row: R) => string },
): Listing<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items: shown.map(show.record), next_cursor: hasMore ? show.cursor(last) : null }
}

/** The rows that come after a place, in the order of `newestFirst`. */
export function after(place: Place | null) {
  if (!place) return {}
  const { at, id } = place
  return { OR: [{ createdAt: { lt: at } }, { createdAt: at, id: { lt: id } }] }
}

/** The cursor of a row in the order of `newestFirst`. */
export function cursorOf({ createdAt, id }: { createdAt: Date; id: string }): string {
  return writeCursor({ at: createdAt, id })
}

/** Newest first; ids decide between rows of one moment. */
export const newestFirst = [{ createdAt: 'desc' as const }, { id: 'desc' as const }]

function decode(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('latin1')
}

function badCursor(): AppError {
  return new AppError('invalid_input', 'cursor: This is not a cursor that a list gave.', {
    issues: [{ path: 'cursor', message: 'This is not a cursor that a list gave.' }],
  })
}
