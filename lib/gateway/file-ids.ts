import type { JsonObject } from './asked'
import { lookThrough } from './look-through'
import { asList } from './translate/json'

/** What a server said of files in an earlier answer; it opens none of them. */
const quotes = new Set<unknown>(['file_citation', 'container_file_citation', 'file_path', 'file_search_call'])

/** Whether an object only speaks of what others name. */
export const isQuote = ({ type }: JsonObject) => quotes.has(type)

/**
 * The files at a model server that a request has it open: those of messages, of what tools put out, of masks and of
 * the places in which code is run. However deep they are, each once.
 */
export function fileIdsIn({ metadata: _, ...body }: JsonObject): string[] {
  const ids = new Set<string>()
  lookThrough(body, (value) => {
    if (isQuote(value)) return []
    for (const id of [value.file_id, ...asList(value.file_ids)]) if (typeof id === 'string') ids.add(id)
    return Object.values(value)
  })
  return [...ids]
}
