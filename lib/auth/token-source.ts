import { isKeyText, looksLikeKey } from './key-text'

/** The session cookie's names: over https with the prefix that binds it to this host, and without over http. */
export const cookieNames = ['__Host-al_session', 'al_session'] as const

const maxTokenLength = 2048
/** No header of a request is as long; the server cuts them off before. */
const maxHeaderLength = 65_536

/** What a request says about who sends it: a session's token, an API key, nothing, or what nobody can make sense of. */
export type Carried =
  | { kind: 'session'; token: string }
  | { kind: 'key'; text: string }
  | { kind: 'nothing' }
  | { kind: 'refused'; reason: string }

const refused = (reason: string): Carried => ({ kind: 'refused', reason })
const unreadable = refused('What was sent to sign in with is neither a token nor an API key.')
const ambiguous = refused('Two different keys or tokens were sent. Send one.')
const misspelt = refused('This is not an API key: characters are missing or wrong.')

/**
 * The one parser of what requests carry: `Authorization: Bearer`, `x-api-key`, the session cookie. Where either header
 * is there, the cookie does not count; what both say, or one says more than once, must be the same.
 */
export function readCarried(request: { headers: Headers }): Carried {
  const authorization = request.headers.get('authorization')
  const apiKey = request.headers.get('x-api-key')
  if (authorization === null && apiKey === null) return readCookies(request.headers.get('cookie') ?? '')
  const said = [
    ...splitValues(authorization).map((value) => classify(afterScheme(value), false)),
    ...splitValues(apiKey).map((value) => classify(value, true)),
  ]
  const [first = unreadable, ...others] = said
  return others.every((other) => isSame(first, other)) ? first : ambiguous
}

/** Several headers of one name arrive as one, with commas between; no token has any. */
function splitValues(header: string | null): string[] {
  if (header === null || header.length > maxHeaderLength) return header === null ? [] : ['']
  const values = header.split(',').map((value) => value.trim())
  return values.filter((value) => value !== '')
}

/** What follows `Bearer`, in whatever case; empty for any other scheme. */
function afterScheme(value: string): string {
  const [scheme = '', token = '', ...more] = value.split(/\s+/, 3)
  return scheme.toLowerCase() === 'bearer' && more.length === 0 ? token : ''
}

function classify(text: string, isForKeys: boolean): Carried {
  if (looksLikeKey(text)) return isKeyText(text) ? { kind: 'key', text } : misspelt
  const token = isForKeys ? null : boundToken(text)
  return token === null ? unreadable : { kind: 'session', token }
}

function isSame(one: Carried, other: Carried): boolean {
  if (one.kind === 'key') return other.kind === 'key' && other.text === one.text
  if (one.kind === 'session') return other.kind === 'session' && other.token === one.token
  return one === other
}

function readCookies(header: string): Carried {
  const jar = parseCookies(header.slice(0, maxHeaderLength))
  const token = readCookieToken((name) => jar.get(name))
  return token === null ? { kind: 'nothing' } : { kind: 'session', token }
}

/** The token in the session cookie, whichever of its names it came under. */
export function readCookieToken(read: (name: string) => string | undefined): string | null {
  for (const name of cookieNames) {
    const token = boundToken(read(name) ?? '')
    if (token) return token
  }
  return null
}

/** Printable ASCII alone: whatever else it is, it is no token. */
function boundToken(token: string): string | null {
  return token.length <= maxTokenLength && /^[\x21-\x7e]+$/.test(token) ? token : null
}

function parseCookies(header: string): Map<string, string> {
  const pairs = header.split(';').map((pair) => {
    const [name = '', ...value] = pair.split('=')
    return [name.trim(), value.join('=').trim()] as const
  })
  return new Map(pairs)
}
