import type { FilePart } from '@/lib/contracts/conversations'

/** A message that was sent and not confirmed yet; kept so that a reload does not lose it. */
export type OutboxEntry = {
  id: string
  parent_id: string | null
  text: string
  files?: FilePart[]
  editOf?: string
}

/** Where a draft belongs: a conversation, or an agent's conversation that is not made yet. */
export function draftKey(agentId: string, conversationId: string | null): string {
  return conversationId ?? `new:${agentId}`
}

// A browser may refuse storage (private windows, full disk); a draft is then kept only while the page is open.
function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function write(key: string, value: string): void {
  try {
    if (value === '') localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {}
}

/** What was typed and not sent. */
export function readDraft(key: string): string {
  return read(`al:draft:${key}`) ?? ''
}

/** Keeps what was typed; an empty draft is forgotten. */
export function keepDraft(key: string, text: string): void {
  write(`al:draft:${key}`, text)
}

function isFile(value: unknown): value is FilePart {
  const part = value as Partial<FilePart> | null
  return typeof part?.file_id === 'string' && typeof part.filename === 'string'
}

/** The files that were uploaded for a message that was not sent. */
export function readDraftFiles(key: string): FilePart[] {
  try {
    const parts: unknown = JSON.parse(read(`al:draft-files:${key}`) ?? '[]')
    return Array.isArray(parts) ? parts.filter(isFile) : []
  } catch {
    return []
  }
}

/** Keeps which files were uploaded. */
export function keepDraftFiles(key: string, parts: readonly FilePart[]): void {
  write(`al:draft-files:${key}`, parts.length === 0 ? '' : JSON.stringify(parts))
}

function isEntry(value: unknown): value is OutboxEntry {
  const entry = value as Partial<OutboxEntry> | null
  return typeof entry?.id === 'string' && typeof entry.text === 'string' && entry.parent_id !== undefined
}

/** Messages that were sent and never confirmed, oldest first. */
export function readOutbox(key: string): OutboxEntry[] {
  try {
    const entries: unknown = JSON.parse(read(`al:outbox:${key}`) ?? '[]')
    return Array.isArray(entries) ? entries.filter(isEntry) : []
  } catch {
    return []
  }
}

/** Keeps a message until the server has confirmed it. */
export function putInOutbox(key: string, entry: OutboxEntry): void {
  const others = readOutbox(key).filter(({ id }) => id !== entry.id)
  write(`al:outbox:${key}`, JSON.stringify([...others, entry]))
}

/** Forgets a message that was confirmed or given up. */
export function takeFromOutbox(key: string, id: string): void {
  const others = readOutbox(key).filter((entry) => entry.id !== id)
  write(`al:outbox:${key}`, others.length === 0 ? '' : JSON.stringify(others))
}
