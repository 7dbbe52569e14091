/** Something that a caller might send: a body as bytes with its type, and what it is called in a report. */
export type HostileBody = { label: string; bytes: Buffer | string; type?: string | null }

const deepLevels = 10_000
const megabyte = 1024 * 1024
const json = 'application/json'

const nested = (open: string, close: string) => open.repeat(deepLevels) + close.repeat(deepLevels)

/** Bodies that are nobody's idea of a request; `type` null: without one. */
export const hostileBodies: readonly HostileBody[] = [
  ...['{}', 'null', '[]', '"text"', '7', 'true', '[{}]', '{"":""}', '{"a":1,"a":2}'].map((text) =>
    body(text, text),
  ),
  body('nothing at all', ''),
  body('a truncated object', '{"name":"a'),
  body('a truncated escape', '{"name":"\\u00'),
  body('something behind the end', '{} {}'),
  body('a BOM', '\ufeff{}'),
  body('deep lists', nested('[', ']')),
  body('deep objects', nested('{"name":', '}').replace('}', '1}')),
  body('deep and never closed', '['.repeat(deepLevels)),
  body('__proto__', '{"__proto__":{"role":"admin","name":"x"},"name":"x"}'),
  body('constructor', '{"constructor":{"prototype":{"role":"admin"}},"toString":1,"hasOwnProperty":null}'),
  body('numbers beyond', '{"name":1e999,"limit":-0,"id":-1e999,"n":123456789012345678901234567890}'),
  body('a thousand fields', `{${Array.from({ length: 1000 }, (_, n) => `"f${n}":${n}`).join()}}`),
  { label: 'bad UTF-8', bytes: Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0xff, 0x7d]), type: json },
  { label: 'a lone surrogate as UTF-8', bytes: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), type: json },
  { label: 'UTF-16', bytes: Buffer.from('\ufeff{}', 'utf16le'), type: json },
  { label: 'no type', bytes: Buffer.from('{}'), type: null },
  { label: 'text', bytes: '{}', type: 'text/plain' },
  { label: 'a form', bytes: 'name=x&id=y', type: 'application/x-www-form-urlencoded' },
  { label: 'parts without a boundary', bytes: '--x\r\n\r\n', type: 'multipart/form-data' },
  {
    label: 'parts that end nowhere',
    bytes: '--x\r\ncontent-disposition: form-data; name="file"',
    type: 'multipart/form-data; boundary=x',
  },
  { label: 'an unheard-of type', bytes: '{}', type: 'application/x;;;=,\u00ff' },
]

/** More than any route takes. Sent to each route once: it is heavy. */
export const hugeBody = body('more than 1 MB', JSON.stringify({ name: 'x'.repeat(megabyte + 1) }))

function body(label: string, bytes: string): HostileBody {
  return { label, bytes, type: json }
}

/** Raw JSON in the place of a value. */
const hostileValues = [
  'null',
  '[]',
  '{}',
  '""',
  '" "',
  'true',
  '-0',
  '1e999',
  '-1',
  '1.5',
  '99999999999999999999',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"a\\udc00b"',
  '"\\u202e\\u0007"',
  '"275760-09-13T00:00:00.001Z"',
  '"9999-12-31T23:59:59-12:00"',
  '"NaN"',
  '"__proto__"',
  JSON.stringify('x'.repeat(300_000)),
  JSON.stringify("'; DROP TABLE users; --%_\\"),
  '{"__proto__":1}',
  `${'['.repeat(1000)}${']'.repeat(1000)}`,
  `[${Array(2000).fill('"x"').join()}]`,
]

/** A body that is right, with one of its values replaced by a hostile one: each value by each. */
export function mutations(right: object): HostileBody[] {
  const text = JSON.stringify(right)
  return pathsOf(right)
    .flatMap((path) =>
      hostileValues
        .filter((value) => isFitFor(path, value))
        .map((value) => {
          const marked = JSON.stringify(replaceAt(right, path, marker))
          return body(
            `${path.join('.')} = ${value.slice(0, 40)}`,
            marked.replace(`"${marker}"`, () => value),
          )
        }),
    )
    .filter(({ bytes }) => bytes !== text)
}

const marker = '@the-place@'

/** Where a password or a key stands, no text that stands elsewhere too: the watch for secrets would take it for one. */
function isFitFor(path: string[], value: string): boolean {
  const isSecret = /^(password|current|next|api_key)$/.test(path.at(-1) ?? '')
  return !isSecret || !value.startsWith('"') || value.length < 10
}

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, part]) => [
    [name],
    ...pathsOf(part).map((path) => [name, ...path]),
  ])
}

function replaceAt(value: unknown, [name = '', ...rest]: string[], by: string): unknown {
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[name] = rest.length === 0 ? by : replaceAt(copy[name], rest, by)
  return copy
}

const names = [
  'limit',
  'cursor',
  'query',
  'after',
  'from',
  'to',
  'day',
  'user',
  'user_id',
  'group_by',
  'project_id',
]

/** Queries as they stand behind the question mark. */
export const hostileQueries: readonly string[] = [
  'limit=5&limit=7&cursor=a&cursor=b',
  '%E0%A4%A=1&limit=%ZZ',
  '__proto__=1&constructor=2',
  'a[b]=1&a[]=2&=&&&',
  'x'.repeat(8000),
  ...[
    '%00',
    '%ED%A0%80',
    '-0',
    '1e999',
    '%FF',
    'null',
    '',
    '99999999999',
    'AAAA',
    'OTk5OTk5OTk5OTk5OTk5OS4w',
    '275760-09-13',
  ].map((value) => names.map((name) => `${name}=${value}`).join('&')),
  ...names.flatMap((name) =>
    ['%00', '%ED%A0%80', '9999-12-31', 'x'.repeat(3000)].map((value) => `${name}=${value}`),
  ),
]

/** What stands in the place of an id. */
export const hostileIds: readonly string[] = [
  'none',
  '%00',
  '%2e%2e%2f%2e%2e%2fetc',
  '%ED%A0%80',
  '%E2%80%AE',
  '__proto__',
  '-1',
  '99999999999999999999',
  'x'.repeat(4000),
  '00000000-0000-0000-0000-000000000000',
  '%27%3B--',
]
