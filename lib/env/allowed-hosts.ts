import { isIP } from 'node:net'

/** A place that keys may be sent to although it is private: a name, all names under one, or a network; null is any port. */
export type AllowedHost = { port: number | null } & (
  | { kind: 'name' | 'under'; name: string }
  | { kind: 'network'; address: string; bits: number }
)

/** Reads `host`, `host:port`, `*.example.com`, an address with or without port, or a network; null for anything else. */
export function parseAllowedHost(entry: string): AllowedHost | null {
  const [, network = '', bits = ''] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(entry) ?? []
  if (network !== '') return networkOf(network, Number(bits), null)
  if (isIP(entry) !== 0 && !entry.includes('%')) return networkOf(entry, isIP(entry) === 6 ? 128 : 32, null)
  const [, stars = '', host = '', port] =
    /^(\*\.)?(\[[\da-f.:]+\]|[^\s/\\@?#%*:[\]]+)(?::(\d{1,5}))?$/i.exec(entry) ?? []
  const name = nameOf(host)
  if (name === null || (port !== undefined && !isPort(port))) return null
  const allowedPort = port === undefined ? null : Number(port)
  if (isIP(name) === 0) return { kind: stars === '' ? 'name' : 'under', name, port: allowedPort }
  return stars === '' ? networkOf(name, isIP(name) === 6 ? 128 : 32, allowedPort) : null
}

/** A host as addresses have it: in lower case and ASCII, without brackets and without a dot at the end. */
function nameOf(host: string): string | null {
  if (host === '' || !URL.canParse(`http://${host}`)) return null
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$|\.$/g, '') || null
}

function networkOf(address: string, bits: number, port: number | null): AllowedHost | null {
  const version = isIP(address)
  // An IPv4 address in the clothes of IPv6 is compared as what it is, so such an entry would never fit.
  const isMapped = version === 6 && /^::ffff:/i.test(address)
  if (version === 0 || isMapped || bits > (version === 6 ? 128 : 32)) return null
  return { kind: 'network', address, bits, port }
}

function isPort(text: string): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535
}
