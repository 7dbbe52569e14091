import { parseJson } from '../providers'
import { type KeptEvent, readEvents } from './run-rows'
import { asList, asObject, asText, type JsonObject } from './translate/json'

const pageSize = 500

/** What was said in a response that did not come to its end, from its events: its items, the last of them unfinished. */
export class Fold {
  readonly #items: JsonObject[] = []

  take({ type, data }: KeptEvent): void {
    const event = asObject(parseJson(data))
    const index = Number(event.output_index)
    if (type === 'response.output_item.added' || type === 'response.output_item.done')
      this.#items[index] = asObject(event.item)
    const item = this.#items[index]
    if (item) this.#add(item, type, event)
  }

  output(): JsonObject[] {
    return this.#items.filter(Boolean).map((item) => {
      const isOpen = item.status === 'in_progress'
      return isOpen ? { ...item, status: 'incomplete' } : item
    })
  }

  #add(item: JsonObject, type: string, event: JsonObject): void {
    const parts = partsOf(item, type)
    const place = Number(event.content_index ?? event.summary_index)
    const delta = asText(event.delta)
    if (type.endsWith('_part.added')) parts[place] = asObject(event.part)
    else if (type === 'response.output_text.delta') {
      extend(parts[place], 'text', delta)
      append(parts[place], 'logprobs', asList(event.logprobs))
    } else if (type === 'response.output_text.annotation.added')
      append(parts[place], 'annotations', [event.annotation])
    else if (type === 'response.refusal.delta') extend(parts[place], 'refusal', delta)
    else if (type === 'response.reasoning_summary_text.delta') extend(parts[place], 'text', delta)
    else if (type === 'response.function_call_arguments.delta') extend(item, 'arguments', delta)
    else if (type === 'response.custom_tool_call_input.delta') extend(item, 'input', delta)
  }
}

function partsOf(item: JsonObject, type: string): JsonObject[] {
  const name = type.startsWith('response.reasoning_summary') ? 'summary' : 'content'
  return asList(item[name]) as JsonObject[]
}

function extend(place: JsonObject | undefined, name: string, delta: string): void {
  if (place) place[name] = asText(place[name]) + delta
}

function append(place: JsonObject | undefined, name: string, more: unknown[]): void {
  if (place && more.length > 0) place[name] = [...asList(place[name]), ...more]
}

/** The output of a response as far as it is kept, and the number of its last event; -1 where there is none. */
export async function foldRun(id: string): Promise<{ output: JsonObject[]; lastSeq: number }> {
  const fold = new Fold()
  let lastSeq = -1
  for (;;) {
    const page = await readEvents(id, lastSeq, pageSize)
    for (const event of page) fold.take(event)
    lastSeq = page.at(-1)?.seq ?? lastSeq
    if (page.length < pageSize) return { output: fold.output(), lastSeq }
  }
}
