import { AppError } from '../../errors'

/** An object of parsed JSON. */
export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects of a list; what is no list has none. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The text under a name; anything else is empty. */
export function textOf(object: unknown, name: string): string {
  const value = isObject(object) ? object[name] : undefined
  return typeof value === 'string' ? value : ''
}

/** What is asked for and this provider cannot do; as OpenAI's errors, it names the parameter. */
export function unsupported(path: string, message: string): AppError {
  const facts = { code: 'unsupported_parameter' }
  return new AppError('invalid_input', message, { issues: [{ path, message }], facts })
}

/** What OpenAI's API would refuse, too. */
export function invalid(path: string, message: string): AppError {
  return new AppError('invalid_input', message, { issues: [{ path, message }] })
}
