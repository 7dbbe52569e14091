import { isObject, type JsonObject } from './translate/json'

/** Looks at every object in a value, however deep: `look` is given each, and says what in it is to be looked at, too. */
export function lookThrough(value: unknown, look: (object: JsonObject) => unknown[]): void {
  // Not by calls of itself: nobody bounds how deep a body is.
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (Array.isArray(next)) for (const one of next) open.push(one)
    else if (isObject(next)) for (const part of look(next)) open.push(part)
  }
}
