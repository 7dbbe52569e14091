import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns'
import { type BlockList, isIP, type LookupFunction } from 'node:net'
import { env } from './env'
import { AppError } from './errors'
import { kindOf, listOf, plain } from './reach/addresses'

/** Where a connection goes: the host as in an address, without brackets, and the port. */
export type Target = { host: string; port: number }

/** Asks for all addresses of a name, as `dns.lookup` does. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** The server does not connect there; nothing was sent. */
export class RefusedAddress extends Error {
  override name = 'RefusedAddress'
  readonly code = 'EREFUSEDADDRESS'
  readonly host: string

  constructor(host: string) {
    super(`${host} is not a place to connect to`)
    this.host = host
  }
}

/** Whether an error is one of those; pages have a copy of the class of their own, and the same connections. */
export function isRefusedAddress(error: unknown): error is RefusedAddress {
  return error instanceof Error && error.name === 'RefusedAddress'
}

/** Why a place is not called, in the reader's words. An address that a name leads to is not told. */
export function explainRefusal(host: string): string {
  return `AL-Chat does not call addresses inside the server's own network (${host}). An admin can allow it with ALLOWED_PROVIDER_HOSTS.`
}

/**
 * Whether keys may be sent to this machine itself, as for Ollama: only where the server serves nobody but this machine,
 * which is to say that it listens on loopback, has no public address and no proxy in front.
 */
export function isLoopbackAllowed(): boolean {
  const { HOST, APP_URL, TRUSTED_PROXIES } = env()
  const isPublic = APP_URL !== undefined && !isLoopback(hostOf(new URL(APP_URL)))
  return isLoopback(HOST) && !isPublic && TRUSTED_PROXIES.length === 0
}

function isLoopback(host: string): boolean {
  return isOwnName(host) || kindOf(host) === 'loopback'
}

/** Names that lead to the machine itself by RFC 6761. */
function isOwnName(host: string): boolean {
  return /^(.+\.)?localhost\.?$/i.test(host)
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** Throws invalid_input for an address that says itself that it will not be called; of names, that shows when they are. */
export function requireCallable(baseUrl: string): void {
  const url = new URL(baseUrl)
  const host = hostOf(url)
  const target = { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) }
  const refusal = findRefusal(isOwnName(host) && !isNamed(target) ? { ...target, host: '127.0.0.1' } : target)
  if (refusal === null) return
  const message = explainRefusal(host)
  throw new AppError('invalid_input', message, { issues: [{ path: 'baseUrl', message }] })
}

/** Why the server does not connect to an address, or null if it does, or if it is a name and still to be looked up. */
export function findRefusal(target: Target): RefusedAddress | null {
  if (isIP(target.host) === 0 || isNamed(target) || mayConnect(target.host, target.port)) return null
  return new RefusedAddress(target.host)
}

/**
 * Looks a name up for one connection, which then goes to the addresses that were checked and to no others. One of them
 * that is refused refuses all: a name that leads inside and outside is not to be trusted.
 */
export function checkedLookup(target: Target, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error) callback(error, [])
      else if (!first) callback(noAddress(hostname), [])
      else if (!isNamed(target) && !addresses.every(({ address }) => mayConnect(address, target.port)))
        callback(new RefusedAddress(target.host), [])
      else if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

function noAddress(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
}

/** The name, or the address as it is written, was allowed by whoever runs the server. */
function isNamed({ host, port }: Target): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  const { ALLOWED_PROVIDER_HOSTS, OPENAI_BASE_URL } = env()
  const own = new URL(OPENAI_BASE_URL)
  const ownPort = Number(own.port) || (own.protocol === 'https:' ? 443 : 80)
  if (name === hostOf(own).replace(/\.$/, '') && port === ownPort) return true
  return ALLOWED_PROVIDER_HOSTS.some((allowed) => {
    if (allowed.kind === 'network' || (allowed.port !== null && allowed.port !== port)) return false
    return allowed.kind === 'name' ? name === allowed.name : name.endsWith(`.${allowed.name}`)
  })
}

function mayConnect(address: string, port: number): boolean {
  const kind = kindOf(address)
  if (kind === 'public' || (kind === 'loopback' && isLoopbackAllowed())) return true
  const known = plain(address)
  if (known === null) return false
  return allowedNetworks().some(
    (network) =>
      (network.port === null || network.port === port) && network.list.check(known.address, known.family),
  )
}

let networks: { port: number | null; list: BlockList }[] | undefined

function allowedNetworks(): { port: number | null; list: BlockList }[] {
  networks ??= env().ALLOWED_PROVIDER_HOSTS.flatMap((allowed) => {
    if (allowed.kind !== 'network') return []
    const family = isIP(allowed.address) === 6 ? 'ipv6' : 'ipv4'
    return { port: allowed.port, list: listOf(family, [`${allowed.address}/${allowed.bits}`]) }
  })
  return networks
}

/** Which places besides public ones this server calls: itself or not, and the entries of ALLOWED_PROVIDER_HOSTS. */
export function describeReach(): { loopback: boolean; allowed: string[] } {
  return { loopback: isLoopbackAllowed(), allowed: env().ALLOWED_PROVIDER_HOSTS.map(sayAllowed) }
}

type AllowedHost = ReturnType<typeof env>['ALLOWED_PROVIDER_HOSTS'][number]

function sayAllowed(host: AllowedHost): string {
  const place =
    host.kind === 'network'
      ? sayNetwork(host.address, host.bits)
      : `${host.kind === 'under' ? '*.' : ''}${host.name}`
  return host.port === null ? place : `${isIP(place) === 6 ? `[${place}]` : place}:${host.port}`
}

function sayNetwork(address: string, bits: number): string {
  return bits === (isIP(address) === 6 ? 128 : 32) ? address : `${address}/${bits}`
}
