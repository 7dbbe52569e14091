/** One field or file of a form. */
export type FormPart = { name: string; filename?: string; type?: string; bytes: Buffer }

/** Reads a `multipart/form-data` body; parts without a name are left out. */
export function parseMultipart(raw: Buffer, contentType: string): FormPart[] {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (boundary === undefined) return []
  const mark = Buffer.from(`--${boundary}`)
  const parts: FormPart[] = []
  let at = raw.indexOf(mark)
  while (at >= 0) {
    const next = raw.indexOf(mark, at + mark.length)
    if (next < 0) break
    const part = parsePart(raw.subarray(at + mark.length + 2, next - 2))
    if (part !== undefined) parts.push(part)
    at = next
  }
  return parts
}

function parsePart(part: Buffer): FormPart | undefined {
  const end = part.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = part.subarray(0, end).toString()
  const name = /[; ]name="([^"]*)"/.exec(head)?.[1]
  const filename = /filename="([^"]*)"/.exec(head)?.[1]
  const type = /^content-type: *(.+)$/im.exec(head)?.[1]
  return name === undefined ? undefined : { name, filename, type, bytes: part.subarray(end + 4) }
}
