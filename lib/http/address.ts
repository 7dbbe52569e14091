import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { env } from '../env'

/**
 * The header in which the server of this process writes who calls (scripts/requests.mjs): the other end of the
 * connection, or whom a proxy of `TRUSTED_PROXIES` says it forwards for. Whatever a caller puts there is overwritten.
 */
const peerHeader = 'x-al-peer'
/** Whether it says that it passed through a proxy, trusted or not. */
const proxyHeader = 'x-al-proxied'

/** The address of who calls; `unknown` where the server does not tell. */
export function callerAddress(request: { headers: Headers }): string {
  const address = request.headers.get(peerHeader) ?? ''
  return isIPv4(address) || isIPv6(address) ? address : 'unknown'
}

/**
 * What is counted as one caller: an IPv4 address, or the /64 of an IPv6 address, since a single customer of a provider
 * has that many.
 */
export function callerNetwork(address: string): string {
  if (!isIPv6(address)) return address
  return `${expandIPv6(address).slice(0, 4).join(':')}::/64`
}

/** The eight groups of an address, without zeros in front. */
function expandIPv6(address: string): string[] {
  // The parser of URLs knows every way to write one, and writes them in one way.
  const plain = new URL(`http://[${address.split('%', 1)[0]}]`).hostname.slice(1, -1)
  const [head = '', tail] = plain.split('::', 2)
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':'))
  if (tail === undefined) return groupsOf(head)
  const [before, behind] = [groupsOf(head), groupsOf(tail)]
  return [...before, ...Array<string>(8 - before.length - behind.length).fill('0'), ...behind]
}

/** Whether the browser reached us over https: by `APP_URL`, or by what a trusted proxy says. */
export function isHttps(request: { headers: Headers }): boolean {
  const { APP_URL } = env()
  if (APP_URL) return APP_URL.startsWith('https:')
  // Of nobody but a trusted proxy does the server let this header through.
  return request.headers.has(peerHeader) && request.headers.get('x-forwarded-proto') === 'https'
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * Whether a program on this machine asks for this machine by its own name. What a proxy passes on is not that: proxies
 * say that they are some, and pass on the name that was asked for.
 */
export function isFromThisMachine(request: { headers: Headers }): boolean {
  const peer = request.headers.get(peerHeader) ?? ''
  const host = (request.headers.get('host') ?? '').replace(/:\d{1,5}$/, '').replace(/^\[|\]$/g, '')
  const isProxied = request.headers.get(proxyHeader) !== 'no'
  return !isProxied && isLoopback(peer) && (host === 'localhost' || isLoopback(host))
}

function isLoopback(address: string): boolean {
  if (isIPv4(address)) return loopback.check(address, 'ipv4')
  return isIPv6(address) && loopback.check(address, 'ipv6')
}

/** A name or an address, and a port; nothing that could be more than that in a URL. */
const hostShape = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/

/** The host that the caller asked for, in lower case: as it says itself, or as a trusted proxy says; null if it is none. */
export function requestHost(request: { headers: Headers }): string | null {
  const forwarded = request.headers.has(peerHeader) ? request.headers.get('x-forwarded-host') : null
  const host = (forwarded ?? request.headers.get('host') ?? '').split(',')[0]?.trim().toLowerCase() ?? ''
  return hostShape.test(host) ? host : null
}

/** Where this server is reached, without a slash at its end: `APP_URL`, or what the caller called it. */
export function publicAddress(request: { headers: Headers }): string {
  const { APP_URL } = env()
  if (APP_URL) return APP_URL
  return `${isHttps(request) ? 'https' : 'http'}://${request.headers.get('host') ?? 'localhost'}`
}
