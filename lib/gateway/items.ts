import { isObject, type JsonObject } from './translate/json'

/** OpenAI names the items of a response so: `msg_…`, `rs_…`, `fc_…` and others. */
const idPattern = /^[a-z]{1,10}_[\w-]{1,200}$/
/** As many items of one response are known by their names. */
const maxItems = 1000

/** An event that announces an item: no text of anybody's can hold the line end before it. */
const mark = Buffer.from('\nevent: response.output_item.added')
const dataMark = Buffer.from('data:')
const lineEnd = 0x0a
/** What an item is announced with is short. */
const maxEventBytes = 256 * 1024

/** The ids of a response's output items, and of the containers in which they ran. */
export function itemIdsOf(response: unknown): string[] {
  if (!isObject(response) || !Array.isArray(response.output)) return []
  return response.output.slice(0, maxItems).flatMap(idsOf)
}

function idsOf(item: unknown): string[] {
  if (!isObject(item)) return []
  return [item.id, ...containersOf(item)].filter(isName)
}

/** The containers in which the call ran that an item tells of. */
function containersOf({ container_id: id, environment }: JsonObject): unknown[] {
  return [id, isObject(environment) ? environment.container_id : null]
}

function isName(id: unknown): id is string {
  return typeof id === 'string' && idPattern.test(id) && !id.startsWith('resp')
}

/** Tells the ids of the items that a stream announces, from its bytes as they pass. */
export class ItemSpotter {
  #rest: Buffer = Buffer.alloc(0)
  #count = 0

  /** The ids in the events that these bytes complete. */
  take(bytes: Uint8Array): string[] {
    const all = Buffer.concat([this.#rest, bytes])
    const ids: string[] = []
    let read = 0
    for (let at = all.indexOf(mark); at !== -1; at = all.indexOf(mark, read)) {
      const data = all.indexOf(dataMark, at + mark.length)
      const end = data === -1 ? -1 : all.indexOf(lineEnd, data)
      if (end === -1) {
        this.#keep(all.subarray(at))
        return ids
      }
      ids.push(...this.#readId(all.toString('utf8', data + dataMark.length, end)))
      read = end
    }
    this.#keep(all.subarray(Math.max(read, all.length - mark.length)))
    return ids
  }

  #readId(text: string): string[] {
    if (this.#count >= maxItems) return []
    this.#count += 1
    try {
      return idsOf((JSON.parse(text) as { item?: unknown }).item)
    } catch {
      return []
    }
  }

  #keep(rest: Buffer): void {
    this.#rest = rest.length > maxEventBytes ? Buffer.alloc(0) : Buffer.from(rest)
  }
}
