import type { JsonObject } from './asked'
import { asList, isObject } from './translate/json'

/** What a call has its server take up by name: places where code was run, and collections of files to search. */
export type Places = { containers: string[]; vectorStores: string[] }

/** The places that the tools of a call name, and those in which calls that it tells of were run. */
export function placesIn({ tools, input }: JsonObject): Places {
  const namers = [...asList(tools).flatMap(withNested), ...asList(input)].filter(isObject)
  return {
    containers: [...new Set(namers.flatMap(containersOf))],
    vectorStores: [...new Set(namers.flatMap(({ vector_store_ids: ids }) => asList(ids)).map(String))],
  }
}

/** Tools may come in groups. */
function withNested(tool: unknown): unknown[] {
  return isObject(tool) ? [tool, ...asList(tool.tools)] : []
}

/** The container that a tool or an item names, which is one in which code ran before; `auto` and the like name none. */
export function containersOf(namer: JsonObject): string[] {
  const { container, container_id: id, environment } = namer
  const places = [container, id, isObject(environment) ? environment.container_id : null]
  return places.filter((place) => typeof place === 'string')
}
