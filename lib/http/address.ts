import { BlockList, isIP } from 'node:net'
import { env } from '../env'

/** The headers in which the server of this process writes who is at the other end, and whether that is a proxy. */
const peerHeader = 'x-al-peer'
const proxyHeader = 'x-al-proxied'

/**
 * The address of who calls: the other end of the connection, or, where that is one of `TRUSTED_PROXIES`,
 * the last address in `x-forwarded-for` that is not. `unknown` where the server does not tell.
 */
export function callerAddress(request: { headers: Headers }): string {
  const peer = request.headers.get(peerHeader) ?? ''
  if (isIP(peer) === 0) return 'unknown'
  if (!isTrusted(peer)) return peer
  const forwarded = (request.headers.get('x-forwarded-for') ?? '').split(',').map((address) => address.trim())
  const client = forwarded.reverse().find((address) => isIP(address) !== 0 && !isTrusted(address))
  return client ?? peer
}

/** Whether the browser reached us over https: by `APP_URL`, or by what a trusted proxy says. */
export function isHttps(request: { headers: Headers }): boolean {
  const { APP_URL } = env()
  if (APP_URL) return APP_URL.startsWith('https:')
  const peer = request.headers.get(peerHeader) ?? ''
  return isTrusted(peer) && request.headers.get('x-forwarded-proto') === 'https'
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
  const version = isIP(address)
  return version !== 0 && loopback.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

function isTrusted(address: string): boolean {
  const version = isIP(address)
  return version !== 0 && trustedProxies().check(address, version === 6 ? 'ipv6' : 'ipv4')
}

let trusted: BlockList | undefined

function trustedProxies(): BlockList {
  if (trusted) return trusted
  trusted = new BlockList()
  for (const entry of env().TRUSTED_PROXIES) {
    const [address = '', bits] = entry.split('/', 2)
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(bits), family)
  }
  return trusted
}
