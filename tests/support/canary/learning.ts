import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Secret } from './searcher.ts'

/** Shorter ones that a test sends, such as a password that is refused for being too short, would be found by chance. */
const MIN_LEARNED = 10
/** A larger body is no form and no credential. */
const MAX_BODY = 256 * 1024

const inJson = /"([\w-]*(?:password|api_?key|access_key))"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)/gi
const inPasswordChange = /"(current|next)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)/g
const inParts = /name="([\w-]*password)"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r]+)/gi
const inForm = /(?:^|&)([\w-]*password)=([^&]+)/gi
const inAnswer = /"(token|key)":"((?:[^"\\]|\\.)+)"/g
const inLink = /\/launch\?(ticket)=([\w-]+)/g
const sessionCookie = /(?:__Host-)?al_session=([^;\s]+)/g

/** The secrets in the headers of a request: tokens and keys, however they are sent along. */
export function secretsOfHeaders({ headers }: IncomingMessage): Secret[] {
  const authorization = headers.authorization ?? ''
  const basic = /^basic (\S+)/i.exec(authorization)?.[1]
  const values = [
    /^bearer (\S+)/i.exec(authorization)?.[1],
    basic && Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':'),
    headers['x-api-key'],
    headers['api-key'],
    ...[...(headers.cookie ?? '').matchAll(sessionCookie)].map(([, value]) => value),
  ]
  return values.flatMap((value) => (typeof value === 'string' ? secretOfToken(value) : []))
}

/** The key that the server itself sends along when it asks someone, wherever it has it from. */
export function secretsOfCall(request: ClientRequest): Secret[] {
  const authorization = String(request.getHeader('authorization') ?? '')
  const values = [/^bearer (\S+)/i.exec(authorization)?.[1], request.getHeader('x-api-key')]
  return values.flatMap((value) =>
    typeof value === 'string' ? learned({ kind: 'provider-key', value }) : [],
  )
}

/** The secrets in the body of a request, also of one that is cut off or no JSON at all. */
export function secretsOfBody(path: string, body: Buffer): Secret[] {
  const text = body.toString()
  const isPasswordChange = path === '/api/auth/password'
  const json = [...text.matchAll(inJson), ...(isPasswordChange ? text.matchAll(inPasswordChange) : [])]
  const found = [
    ...json.map(([, name = '', value = '']) => [name, unescapeJson(value)] as const),
    ...[...text.matchAll(inParts)].map(([, name = '', value = '']) => [name, value] as const),
    ...[...text.matchAll(inForm)].map(([, name = '', value = '']) => [name, unescapeForm(value)] as const),
  ]
  return found.flatMap(([name, value]) =>
    learned({ kind: /key/i.test(name) ? 'provider-key' : 'password', value: value.trim() }),
  )
}

/** The token of whoever signs in, the key of whoever makes one, the ticket in a link: told once, and then nowhere. */
export function secretsOfAnswer(text: string): Secret[] {
  return [...text.matchAll(inAnswer), ...text.matchAll(inLink)].flatMap(([, , value = '']) =>
    secretOfToken(unescapeJson(value)),
  )
}

/** The token in a `set-cookie` line. */
export function secretsOfCookie(line: string): Secret[] {
  return [...line.matchAll(sessionCookie)].flatMap(([, value = '']) => secretOfToken(value))
}

/** Of a JWT only its signature is secret: the rest says who it is, and begins alike in all. */
function secretOfToken(value: string): Secret[] {
  if (/^alc_/.test(value)) return learned({ kind: 'api-key', value })
  const signature = /^eyJ[\w-]+\.[\w-]+\.([\w-]+)$/.exec(value)?.[1]
  return learned({ kind: 'token', value: signature ?? value })
}

function learned(secret: Secret): Secret[] {
  return secret.value.length >= MIN_LEARNED ? [secret] : []
}

/**
 * Hears the body of a request as its parser hands it on, and changes nothing of how it is read. Tells it once: at its
 * end, or as far as it came when the returned function is called, which is when an answer begins.
 */
export function hearBody(request: IncomingMessage, learn: (body: Buffer) => void): () => void {
  const heard: Buffer[] = []
  let size = 0
  let isTold = false
  const tell = () => {
    if (!isTold) learn(Buffer.concat(heard))
    isTold = true
  }
  const { push } = request
  request.push = (piece: unknown, encoding?: BufferEncoding) => {
    if (piece === null) tell()
    // A copy: the parser's memory is used again.
    else if (piece instanceof Uint8Array && size <= MAX_BODY) heard.push(Buffer.from(piece))
    size += piece instanceof Uint8Array ? piece.length : 0
    return push.call(request, piece, encoding)
  }
  return tell
}

function unescapeJson(text: string): string {
  try {
    return JSON.parse(`"${text}"`)
  } catch {
    return text
  }
}

function unescapeForm(text: string): string {
  return new URLSearchParams(`value=${text}`).get('value') ?? text
}
