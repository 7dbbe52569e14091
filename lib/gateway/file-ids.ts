import type { JsonObject } from './asked'

/** What a server said of files in an earlier answer; it opens none of them. */
const quotes = new Set(['file_citation', 'container_file_citation', 'file_path', 'file_search_call'])

/**
 * The files at a model server that a request has it open: those of messages, of what tools put out, of masks and of
 * the places in which code is run. However deep they are, each once.
 */
export function fileIdsIn({ metadata: _, ...body }: JsonObject): string[] {
  const ids = new Set<string>()
  // Not by calls of itself: nobody bounds how deep a body is.
  const open: unknown[] = [body]
  while (open.length > 0) {
    const value = open.pop()
    if (Array.isArray(value)) for (const one of value) open.push(one)
    else if (typeof value === 'object' && value !== null) for (const part of look(value, ids)) open.push(part)
  }
  return [...ids]
}

/** Notes the files that an object names, and returns what is in it to be looked at, too. */
function look(value: object, ids: Set<string>): unknown[] {
  if ('type' in value && typeof value.type === 'string' && quotes.has(value.type)) return []
  if ('file_id' in value && typeof value.file_id === 'string') ids.add(value.file_id)
  const list = 'file_ids' in value && Array.isArray(value.file_ids) ? value.file_ids : []
  for (const id of list) if (typeof id === 'string') ids.add(id)
  return Object.values(value)
}
