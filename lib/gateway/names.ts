import type { JsonObject, ModelPath } from './asked'
import { isQuote } from './file-ids'
import { lookThrough } from './look-through'
import { asList, asObject, isObject } from './translate/json'

/** What can be taken up by name, in OpenAI's words. */
export type Kind =
  | 'Conversation'
  | 'Prompt'
  | 'Response'
  | 'Audio'
  | 'Item'
  | 'Container'
  | 'Vector store'
  | 'Skill'
  | 'Tunnel'

/** Something that was made before and that a call names; `field` is where in the body. */
export type Name = { kind: Kind; id: string; field: string }

/** What names something, wherever it stands: in tools, in items that bring tools along, in calls that are told of. */
const kinds: [string, Kind][] = [
  ['container', 'Container'],
  ['container_id', 'Container'],
  ['vector_store_ids', 'Vector store'],
  ['skill_id', 'Skill'],
  ['tunnel_id', 'Tunnel'],
]

/** In these the caller calls things as the caller likes. */
const freeFields = new Set([
  'parameters',
  'schema',
  'input_schema',
  'output_schema',
  'arguments',
  'metadata',
  'variables',
  'headers',
  'env',
])

/** What a call has its server take up that was made before, each once; files and the response before it apart. */
export function namesIn(path: ModelPath, body: JsonObject): Name[] {
  if (path === '/chat/completions') return eachOnce(soundsIn(body))
  if (!path.startsWith('/responses')) return []
  return eachOnce([...namedByBody(body), ...referredIn(body), ...namedWithin(body)])
}

function eachOnce(names: Name[]): Name[] {
  return [...new Map(names.map((name) => [`${name.kind} ${name.id}`, name])).values()]
}

/** What a model has said aloud before. */
function soundsIn({ messages }: JsonObject): Name[] {
  return asList(messages).flatMap((message) => {
    const { id } = asObject(asObject(message).audio)
    return typeof id === 'string' ? [{ kind: 'Audio' as const, id, field: 'messages' }] : []
  })
}

function namedByBody({ conversation, prompt, prompt_cache_options: cache }: JsonObject): Name[] {
  const named: [Kind, string, unknown][] = [
    ['Conversation', 'conversation', isObject(conversation) ? conversation.id : conversation],
    ['Prompt', 'prompt', isObject(prompt) ? prompt.id : prompt],
    ['Response', 'prompt_cache_options', asObject(cache).comparison_response_id],
  ]
  return named.flatMap(([kind, field, id]) =>
    id === undefined || id === null ? [] : [{ kind, id: String(id), field }],
  )
}

/** What these kinds of items bring along; without it their server looks it up. */
const contents: Record<string, string> = {
  reasoning: 'encrypted_content',
  compaction: 'encrypted_content',
  image_generation_call: 'result',
}

/** The items whose content their server is to look up. */
function referredIn({ input }: JsonObject): Name[] {
  return asList(input).flatMap((item) =>
    isObject(item) && typeof item.id === 'string' && isReference(item)
      ? [{ kind: 'Item' as const, id: item.id, field: 'input' }]
      : [],
  )
}

/** Whether an item has its server look up what it holds. */
export function isReference(item: JsonObject): boolean {
  const { type, role } = item
  if (type === 'item_reference' || (!type && !role)) return true
  const content = typeof type === 'string' && Object.hasOwn(contents, type) ? contents[type] : undefined
  return content !== undefined && (typeof item[content] !== 'string' || item[content] === '')
}

function namedWithin(body: JsonObject): Name[] {
  const names: Name[] = []
  for (const [field, value] of Object.entries(body)) {
    if (freeFields.has(field)) continue
    lookThrough(value, (object) => {
      if (isQuote(object)) return []
      for (const [name, kind] of kinds)
        for (const id of [object[name]].flat()) if (typeof id === 'string') names.push({ kind, id, field })
      return Object.entries(object).flatMap(([name, part]) => (freeFields.has(name) ? [] : [part]))
    })
  }
  return names
}
