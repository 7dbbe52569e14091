import { isObject, type JsonObject } from './json'

/** What Anthropic's schemas know of each kind of value; everything else is refused there. */
const kept = ['$schema', '$id', 'title', 'description', 'default', 'const', 'enum', 'type', 'required']
const keptFormats = 'date-time time date duration email hostname uri ipv4 ipv6 uuid'.split(' ')
/** Said in words instead, for a model to heed; nobody enforces them. */
const spoken = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
]
/** With more fields that may be missing, Anthropic gives up on a schema, or takes too long to prepare it. */
const maxOptional = 10
const maxDepth = 64
const maxNodes = 5000

/** What is met on the way through a schema. */
type Tally = { optional: number; nodes: number; isUnfit: boolean; refs: Set<string> }

/**
 * A schema in that part of JSON Schema to which Anthropic holds its answers, with what it cannot enforce in words; null
 * where it would mean something else there: objects with fields of any name, schemas within themselves, too many fields
 * that may be missing. From https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */
export function toEnforceable(schema: unknown): JsonObject | null {
  if (!isObject(schema)) return null
  const tally: Tally = { optional: 0, nodes: 0, isUnfit: false, refs: new Set() }
  const adapted = adapt(schema, tally, 0)
  const cleared = new Set<string>()
  const isCircular = [...tally.refs].some((ref) => leadsBack(schema, ref, new Set(), cleared))
  return tally.isUnfit || isCircular || tally.optional > maxOptional ? null : adapted
}

function adapt(schema: JsonObject, tally: Tally, depth: number): JsonObject {
  tally.nodes += 1
  if (depth > maxDepth || tally.nodes > maxNodes) {
    tally.isUnfit = true
    return {}
  }
  const into = (value: unknown) => (isObject(value) ? adapt(value, tally, depth + 1) : value)
  if (typeof schema.$ref === 'string') {
    tally.refs.add(schema.$ref)
    return { $ref: schema.$ref, ...definitionsOf(schema, into) }
  }
  const own = Object.fromEntries(kept.flatMap((name) => (name in schema ? [[name, schema[name]]] : [])))
  const lists = { anyOf: schema.anyOf ?? schema.oneOf, allOf: schema.allOf }
  const choices = Object.entries(lists).flatMap(([name, list]) =>
    Array.isArray(list) ? [[name, list.map(into)]] : [],
  )
  return {
    ...own,
    ...Object.fromEntries(choices),
    ...definitionsOf(schema, into),
    ...(schema.items !== undefined && { items: into(schema.items) }),
    ...fieldsOf(schema, tally, into),
    ...formatOf(schema),
    ...inWords(schema),
  }
}

type Into = (value: unknown) => unknown

function definitionsOf(schema: JsonObject, into: Into): JsonObject {
  const found = ['$defs', 'definitions'].flatMap((name) => {
    const definitions = schema[name]
    return isObject(definitions) ? [[name, eachOf(definitions, into)]] : []
  })
  return Object.fromEntries(found)
}

function eachOf(schemas: JsonObject, into: Into): JsonObject {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, into(schema)]))
}

function fieldsOf(schema: JsonObject, tally: Tally, into: Into): JsonObject {
  const { properties, additionalProperties, patternProperties, required } = schema
  const isObjectType = [schema.type].flat().includes('object') || isObject(properties)
  if (!isObjectType) return {}
  const isOpen =
    additionalProperties === true ||
    isObject(additionalProperties) ||
    isObject(patternProperties) ||
    (!isObject(properties) && additionalProperties !== false)
  if (isOpen) tally.isUnfit = true
  const fields = isObject(properties) ? properties : {}
  const needed = new Set(Array.isArray(required) ? required : [])
  tally.optional += Object.keys(fields).filter((name) => !needed.has(name)).length
  return { properties: eachOf(fields, into), additionalProperties: false }
}

function formatOf({ format }: JsonObject): JsonObject {
  return typeof format === 'string' && keptFormats.includes(format) ? { format } : {}
}

function inWords(schema: JsonObject): JsonObject {
  const strange = typeof schema.format === 'string' && !keptFormats.includes(schema.format) ? ['format'] : []
  const said = [...spoken, ...strange].flatMap((name) =>
    schema[name] === undefined ? [] : [`${name}: ${JSON.stringify(schema[name])}`],
  )
  if (said.length === 0) return {}
  const before = typeof schema.description === 'string' ? `${schema.description} ` : ''
  return { description: `${before}(${said.join(', ')})` }
}

/** Whether one comes back to where one is by following references, or to nothing. Each is followed once. */
function leadsBack(root: JsonObject, ref: string, onTheWay: Set<string>, cleared: Set<string>): boolean {
  if (cleared.has(ref)) return false
  if (onTheWay.has(ref)) return true
  const target = resolve(root, ref)
  if (target === null) return true
  onTheWay.add(ref)
  if (refsIn(target, 0).some((inner) => leadsBack(root, inner, onTheWay, cleared))) return true
  cleared.add(ref)
  return false
}

/** The schema that a reference within the document names (RFC 6901), or null. */
function resolve(root: JsonObject, ref: string): unknown {
  if (!ref.startsWith('#')) return null
  const steps = ref.slice(1).split('/').slice(1)
  let here: unknown = root
  for (const step of steps) {
    if (!isObject(here)) return null
    here = here[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return here ?? null
}

function refsIn(value: unknown, depth: number): string[] {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return []
  const own = isObject(value) && typeof value.$ref === 'string' ? [value.$ref] : []
  return [...own, ...Object.values(value).flatMap((inner) => refsIn(inner, depth + 1))]
}
