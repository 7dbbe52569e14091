const pad = (number: number, length = 2) => String(number).padStart(length, '0')

/** The day of a moment in the server's time zone, `YYYY-MM-DD`. */
export function localDay(at: Date): string {
  return `${pad(at.getFullYear(), 4)}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
}

/** The second of a moment in the server's time zone, `YYYYMMDD_HHMMSS`; in autumn an hour of them comes twice. */
export function localMoment(at: Date): string {
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => pad(part)).join('')
  return `${localDay(at).replaceAll('-', '')}_${time}`
}

/** A session's public id. */
export function sessionName({ moment, ordinal }: { moment: string; ordinal: number }): string {
  return `session_${moment}${ordinal === 1 ? '' : `_${ordinal}`}`
}

/** What a session's public id says, or null where it is none. */
export function readSessionName(name: string): { moment: string; ordinal: number } | null {
  const [, moment, ordinal] = /^session_(\d{8}_\d{6})(?:_([2-9]|[1-9]\d{1,5}))?$/.exec(name) ?? []
  return moment === undefined ? null : { moment, ordinal: Number(ordinal ?? 1) }
}
