import { asList, isObject, type JsonObject, makeId } from './translate/json'

/** What a call for a response asked, as items with names, as OpenAI lists them. */
export function inputItemsOf({ input }: JsonObject): JsonObject[] {
  const items =
    typeof input === 'string' ? [{ role: 'user', content: input }] : asList(input).filter(isObject)
  return items.map(withName)
}

function withName(item: JsonObject): JsonObject {
  const type = typeof item.type === 'string' ? item.type : 'message'
  const id = typeof item.id === 'string' ? item.id : makeId('msg')
  if (type !== 'message') return { id, ...item, type }
  const content =
    typeof item.content === 'string'
      ? [{ type: item.role === 'assistant' ? 'output_text' : 'input_text', text: item.content }]
      : item.content
  return { id, status: 'completed', ...item, type, content }
}
