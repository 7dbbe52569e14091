import { randomBytes } from 'node:crypto'
import { AppError } from '../../errors'

/** An object as JSON says it, of which nothing is known yet. */
export type JsonObject = { [name: string]: unknown }

/** True for an object that is no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object, or an empty one where it is something else. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** The text, or an empty one where it is something else. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The list, or an empty one where it is something else. */
export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** A new id as OpenAI makes them: `resp_`, `msg_` and the like, and 48 hexadecimal digits. */
export function makeId(kind: 'resp' | 'msg' | 'rs' | 'fc' | 'ctc' | 'call' | 'cmp'): string {
  return `${kind}_${randomBytes(24).toString('hex')}`
}

/** An object of a request, and where it stands there: `input[0].content[1]`; empty for the body itself. */
export type Spot = { value: JsonObject; path: string }

type Code = 'missing_required_parameter' | 'invalid_type' | 'invalid_value' | 'unsupported_value'

/** A request that cannot be taken: what is wrong, where, and OpenAI's code for it. */
export function refuse(path: string, code: Code, message: string): AppError {
  return new AppError('invalid_input', message, { issues: [{ path, message }], facts: { code } })
}

/** Where a field of the object stands in the request. */
export function pathOf({ path }: Spot, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

type Kinds = { string: string; number: number; boolean: boolean; object: JsonObject; list: unknown[] }

const kinds: { [K in keyof Kinds]: (value: unknown) => value is Kinds[K] } = {
  string: (value) => typeof value === 'string',
  number: (value): value is number => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
  list: (value): value is unknown[] => Array.isArray(value),
}

/** A field of the request, undefined where it is absent or null. Throws invalid_input if it is of another kind. */
export function optional<K extends keyof Kinds>(spot: Spot, name: string, kind: K): Kinds[K] | undefined {
  const value = spot.value[name]
  if (value === undefined || value === null) return undefined
  if (kinds[kind](value)) return value
  const path = pathOf(spot, name)
  throw refuse(path, 'invalid_type', `'${path}' must be ${kind === 'object' ? 'an' : 'a'} ${kind}.`)
}

/** The same where it must be there. Throws invalid_input if it is not. */
export function required<K extends keyof Kinds>(spot: Spot, name: string, kind: K): Kinds[K] {
  const value = optional(spot, name, kind)
  if (value !== undefined) return value
  const path = pathOf(spot, name)
  throw refuse(path, 'missing_required_parameter', `'${path}' is missing.`)
}

/** A whole number of the request within bounds, undefined where it is absent. Throws invalid_input. */
export function optionalCount(spot: Spot, name: string, [least, most]: [number, number]): number | undefined {
  const value = optional(spot, name, 'number')
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return value
  const path = pathOf(spot, name)
  throw refuse(path, 'invalid_value', `'${path}' must be a whole number from ${least} to ${most}.`)
}

/** One of the words that the request may say there, undefined where it is absent. Throws invalid_input. */
export function optionalWord<W extends string>(spot: Spot, name: string, words: readonly W[]): W | undefined {
  const value = optional(spot, name, 'string')
  if (value === undefined || words.includes(value as W)) return value as W | undefined
  const path = pathOf(spot, name)
  throw refuse(path, 'invalid_value', `'${path}' must be one of ${words.join(', ')}.`)
}

/** The objects of a list in the request. Throws invalid_input if one is none. */
export function spotsIn(list: unknown[], path: string): Spot[] {
  return list.map((value, index) => {
    const here = `${path}[${index}]`
    if (!isObject(value)) throw refuse(here, 'invalid_type', `'${here}' must be an object.`)
    return { value, path: here }
  })
}
