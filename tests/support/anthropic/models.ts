import type { Body } from './types.ts'

const ids = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-4-5-20251001']

/** The list of models, newest first, in pages (https://platform.claude.com/docs/en/api/models-list). */
export function modelPage(query: URLSearchParams): Body {
  const limit = Number(query.get('limit') ?? 20)
  const from = query.has('after_id') ? ids.indexOf(query.get('after_id') ?? '') + 1 : 0
  const shown = ids.slice(from, from + limit)
  const data = shown.map((id) => ({
    type: 'model',
    id,
    display_name: id.replaceAll('-', ' '),
    created_at: '2026-01-01T00:00:00Z',
  }))
  return {
    data,
    has_more: from + limit < ids.length,
    first_id: shown[0] ?? null,
    last_id: shown.at(-1) ?? null,
  }
}
