import type { Actor } from '../auth'
import type { FilePart } from '../contracts/conversations'
import { db } from '../db'
import type { ModelFile } from '../providers'
import type { LentKey } from '../vault'
import { readBeginning, readContent } from './content'
import { ensureCopy } from './copies'
import { kindOf } from './kinds'
import { readPdf } from './pdf'
import { type FileRow, visibleTo, withCopies } from './records'

/** Of one text, so many characters are given to a model. */
const maxTextLength = 100_000
/** Of all texts of an answer together. */
const maxTextsLength = 400_000
/** Of all that goes along in bytes; what is at OpenAI already does not count. */
const maxInlineBytes = 24 * 1024 * 1024
/** A character takes four bytes at most. */
const maxBytesPerCharacter = 4

/** What is left of the bounds of one answer. */
type Room = { characters: number; bytes: number }
type Content = ModelFile['content']

/**
 * The files of an answer's messages, by id, as its model can take them; those of the newest messages first, where there
 * is not room for all. One that is gone, or that the actor may not read any more, is given by name alone.
 * Throws unavailable where the content is not on this server.
 */
export async function lendFiles(
  actor: Actor,
  key: LentKey,
  parts: FilePart[],
): Promise<Map<string, ModelFile>> {
  const ids = [...new Set(parts.map(({ file_id: id }) => id))]
  const rows = await db().file.findMany({
    where: { AND: [{ id: { in: ids } }, visibleTo(actor)] },
    include: withCopies,
  })
  const byId = new Map(rows.map((row) => [row.id, row]))
  const room = { characters: maxTextsLength, bytes: maxInlineBytes }
  const lent = new Map<string, ModelFile>()
  for (const { file_id: id, filename, mime_type: mimeType, bytes } of parts.toReversed()) {
    if (lent.has(id)) continue
    const row = byId.get(id)
    const content = row ? await contentOf(key, row, room) : absent('This file was deleted.')
    lent.set(id, { filename, mimeType, bytes, content })
  }
  return lent
}

function absent(reason: string): Content {
  return { type: 'absent', reason }
}

async function contentOf(key: LentKey, row: FileRow, room: Room): Promise<Content> {
  const kind = kindOf(row.mimeType)
  if (key.provider === 'demo') return absent('The demo model reads no files.')
  if (kind === 'text') return textContent(row, room)
  const type = kind === 'image' ? 'image' : 'document'
  if (key.provider === 'openai') {
    const remoteId = await ensureCopy(key, row)
    if (remoteId !== null) return { type, remoteId }
  } else if (kind === 'pdf' && key.provider !== 'anthropic') return pdfContent(row, room)
  if (row.bytes > room.bytes)
    return absent('This file was left out: all files of the conversation together are too large.')
  room.bytes -= row.bytes
  return { type, base64: (await readContent(row.id)).toString('base64') }
}

const unread = {
  locked: 'This PDF is locked with a password.',
  unreadable: 'This PDF could not be read.',
}

/** For models that take no PDF: its text. */
async function pdfContent(row: FileRow, room: Room): Promise<Content> {
  const read = await readPdf(row.id, maxTextLength)
  if ('failure' in read) return absent(unread[read.failure])
  if (read.text === '') return absent('This PDF has no text in it; it may be a scan.')
  const shown = read.text.slice(0, room.characters).toWellFormed()
  if (shown === '')
    return absent('This file was left out: all files of the conversation together are too long.')
  room.characters -= shown.length
  const isCut = read.isCut || shown.length < read.text.length
  const note = `\n[The PDF goes on; only the first ${shown.length} characters of its text are here.]`
  return { type: 'text', text: isCut ? shown + note : shown }
}

async function textContent(row: FileRow, room: Room): Promise<Content> {
  const maxLength = Math.min(maxTextLength, room.characters)
  if (maxLength === 0)
    return absent('This file was left out: all files of the conversation together are too long.')
  const beginning = await readBeginning(row.id, Math.min(row.bytes, maxLength * maxBytesPerCharacter))
  // A character may be cut at the end.
  const text = new TextDecoder().decode(beginning, { stream: true })
  const shown = text.slice(0, maxLength).toWellFormed()
  room.characters -= shown.length
  const isCut = text.length > maxLength || beginning.length < row.bytes
  const note = `\n[The file goes on. It has ${row.bytes} bytes; only the first ${shown.length} characters are here.]`
  return { type: 'text', text: isCut ? shown + note : shown }
}
