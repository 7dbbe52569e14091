import type { Body } from './types.ts'

/** Cuts a page out of a list that is oldest first, by `limit`, `order` and `after`. */
export function paginate(query: URLSearchParams, oldestFirst: Body[], limit = 20): Body {
  const items = query.get('order') === 'asc' ? oldestFirst : [...oldestFirst].reverse()
  const from = items.findIndex((item) => item.id === query.get('after')) + 1
  const data = items.slice(from, from + Number(query.get('limit') ?? limit))
  const [first_id, last_id] = [data[0]?.id ?? null, data.at(-1)?.id ?? null]
  return { object: 'list', data, first_id, has_more: from + data.length < items.length, last_id }
}
