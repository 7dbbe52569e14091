// What the server makes of a request before Next sees it: a name, who sent it, and whether it can be meant at all.
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { BlockList, isIP } from 'node:net'

/**
 * @typedef {import('node:http').RequestListener} RequestListener
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {{ status: number, code: string, message: string, allow?: string, isOpenAis?: boolean }} Refusal
 */

/** What routes can take; any other method is nobody's. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** Pages are looked at, and their forms are posted. */
const PAGE_METHODS = ['GET', 'HEAD', 'POST']
/** A caller's name for a request, as lib/http takes it too. */
const REQUEST_ID = /^(?![spr]k[-_]|alc_)[A-Za-z0-9_-]{8,64}$/
/** What is no page: these answer for themselves which methods they take. */
const NO_PAGE = /^\/(api|_next|v1|health|metrics|auth|completion|images|embeddings|models)(\/|$)/

/** What proxies add to a request. */
const PROXIED = /^(x-forwarded(-.*)?|forwarded|via|x-real-ip|cf-connecting-ip|true-client-ip)$/
/** Where OpenAI's clients call, and are answered in their dialect. */
const OPENAI_PATH = /^\/(api\/)?(v1|completion|images|embeddings|models)(\/|\?|$)/

const FORWARDED = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto']

/** @type {RequestListener} */
export function answerStarting(request, response) {
  nameRequest(request, response)
  response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1', connection: 'close' })
  response.end('AL-Chat is starting.\n')
}

/**
 * Gives the request its id, the caller's own if it is fit to be one, for the log, the errors and the answer alike,
 * and takes from it what only a proxy of ours may say.
 * @type {(...args: Parameters<RequestListener>) => void}
 */
export function nameRequest(request, response) {
  const given = request.headers['x-request-id']
  const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
  request.headers['x-request-id'] = id
  const peer = plainAddress(request.socket.remoteAddress ?? '')
  // Who calls, for rate limits and the audit; whatever a caller put there is overwritten.
  request.headers['x-al-peer'] = findCaller(peer, request.headers['x-forwarded-for'])
  request.headers['x-al-proxied'] = Object.keys(request.headers).some((name) => PROXIED.test(name))
    ? 'yes'
    : 'no'
  // Next would take a caller's word for the host when it looks whether a form comes from this site.
  if (!isTrusted(peer)) for (const name of FORWARDED) delete request.headers[name]
  response.setHeader('x-request-id', id)
}

/**
 * Answers a request that Next would answer with a page of its own, or with 500, in the portal's words.
 * @type {(...args: Parameters<RequestListener>) => boolean} whether it was refused
 */
export function refuseRequest(request, response) {
  const refusal = findRefusal(request)
  if (!refusal) return false
  const { url = '', headers: given } = request
  const isOpenAis = OPENAI_PATH.test(url)
  const { headers, body } = writeRefusal({ ...refusal, isOpenAis }, String(given['x-request-id']))
  response.writeHead(refusal.status, headers).end(body)
  return true
}

/**
 * @param {IncomingMessage} request
 * @returns {Refusal | null}
 */
function findRefusal({ method = '', url = '', headers, httpVersion }) {
  if (headers.host === undefined && httpVersion === '1.1') return invalid('The request names no host.')
  if (!METHODS.includes(method)) return wrongMethod(METHODS)
  const path = url.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0] ?? ''
  if (!isDecodable(path)) return invalid('The address is not valid: it has a % that begins no character.')
  if (!NO_PAGE.test(path) && !PAGE_METHODS.includes(method)) return wrongMethod(PAGE_METHODS)
  return null
}

/** @param {string} path */
function isDecodable(path) {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/**
 * @param {string} message
 * @returns {Refusal}
 */
function invalid(message) {
  return { status: 400, code: 'invalid_input', message }
}

/**
 * @param {string[]} methods
 * @returns {Refusal}
 */
function wrongMethod(methods) {
  const allow = methods.join(', ')
  return { status: 405, code: 'method_not_allowed', message: `This address takes ${allow}.`, allow }
}

/** @type {Record<string, Refusal>} */
const UNREADABLE = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'too_large', message: 'The headers are larger than 32 kB.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'too_large', message: 'The body is too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'invalid_input', message: 'The request took too long.' },
}

/**
 * Answers what cannot be read as a request, unless an answer is on its way already, and hangs up.
 * @param {Error & { code?: string }} error
 * @param {import('node:stream').Duplex} socket
 */
export function answerUnreadable(error, socket) {
  const refusal = UNREADABLE[error.code ?? ''] ?? invalid('This is not a request in HTTP.')
  if (error.code !== 'ECONNRESET' && socket.writable && !isAnswering(socket)) {
    const { headers, body } = writeRefusal(refusal, randomUUID())
    const lines = Object.entries({ ...headers, connection: 'close' })
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    socket.write(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${head}\r\n${body}`)
  }
  socket.destroy(error)
}

/**
 * As Node itself decides it: bytes of a second answer would be taken for the first one's.
 * @param {object} socket
 */
function isAnswering(socket) {
  const answer = Reflect.get(socket, '_httpMessage')
  return Boolean(answer?.headersSent)
}

/**
 * @param {Refusal} refusal
 * @param {string} id
 */
function writeRefusal({ code, message, allow, isOpenAis }, id) {
  const error = isOpenAis
    ? { message, type: 'invalid_request_error', param: null, code: null }
    : { code, message, request_id: id }
  const body = JSON.stringify({ error })
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': id,
    ...(allow && { allow }),
  }
  return { headers, body }
}

/**
 * Who calls through this peer. Each proxy adds whom it saw at the end of the list, so that it is true from there as far as
 * the proxies are ours; the rest is what the caller says.
 * @param {string} peer
 * @param {string | string[] | undefined} forwarded
 */
function findCaller(peer, forwarded = '') {
  let caller = peer
  for (const entry of String(forwarded).split(',').reverse()) {
    const seen = plainAddress(entry.trim())
    if (!isTrusted(caller) || isIP(seen) === 0) return caller
    caller = seen
  }
  return caller
}

/**
 * An address as all the others are written: some proxies add the port, and IPv4 can come as IPv6.
 * @param {string} text
 */
function plainAddress(text) {
  const [, bracketed, dotted] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? []
  return (bracketed ?? dotted ?? text).replace(/^::ffff:(?=[\d.]+$)/i, '')
}

/** @param {string} address */
function isTrusted(address) {
  const version = isIP(address)
  return version !== 0 && trustedProxies().check(address, version === 6 ? 'ipv6' : 'ipv4')
}

/** @type {BlockList | undefined} */
let trusted

/** `TRUSTED_PROXIES`; what is wrong with it, lib/env has said when the server started. */
function trustedProxies() {
  if (trusted) return trusted
  trusted = new BlockList()
  for (const entry of (process.env.TRUSTED_PROXIES ?? '').split(',').map((word) => word.trim())) {
    const [address = '', bits] = entry.split('/', 2)
    const version = isIP(address)
    const family = version === 6 ? 'ipv6' : 'ipv4'
    if (version !== 0) trusted.addSubnet(address, bits ? Number(bits) : version === 6 ? 128 : 32, family)
  }
  return trusted
}
