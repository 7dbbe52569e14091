import { BlockList, isIP } from 'node:net'

/** What an address is to a server: open to all, the machine itself, or something in between that is nobody's business. */
export type Kind = 'public' | 'loopback' | 'private'

/** IPv4 that is not of the public internet: https://www.iana.org/assignments/iana-ipv4-special-registry. */
const privateIpv4 = listOf('ipv4', [
  '0.0.0.0/8', // this network, and the machine itself to most systems
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT, and the metadata of Alibaba's cloud
  '168.63.129.16/32', // the metadata and agents of Azure, in an address that looks public
  '169.254.0.0/16', // link-local, and the metadata of most clouds
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments, and the metadata of Oracle's cloud
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
])

/** The only part of IPv6 that is routed between networks. All else is local, translated, or not in use. */
const globalIpv6 = listOf('ipv6', ['2000::/3'])

/** What in it is not: https://www.iana.org/assignments/iana-ipv6-special-registry. */
const privateIpv6 = listOf('ipv6', [
  '2001::/23', // protocol assignments: Teredo, ORCHID, benchmarks
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which leads to whatever IPv4 address is in it
  '3ffe::/16', // the 6bone, given back
  '3fff::/20', // documentation
])

const loopbackIpv4 = listOf('ipv4', ['127.0.0.0/8'])
const loopbackIpv6 = listOf('ipv6', ['::1/128'])

/** IPv6 that is another spelling of the IPv4 address in its last 32 bits: mapped, and NAT64 (RFC 6052). */
const wrapped = listOf('ipv6', ['::ffff:0:0/96', '64:ff9b::/96'])

/** A list of networks in CIDR notation. */
export function listOf(family: 'ipv4' | 'ipv6', networks: string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/', 2)
    list.addSubnet(address, Number(bits), family)
  }
  return list
}

/** The address behind an address: IPv4 in the clothes of IPv6 is undressed. Null for what is no address. */
export function plain(address: string): { address: string; family: 'ipv4' | 'ipv6' } | null {
  const version = isIP(address)
  if (version === 0) return null
  if (version === 4) return { address, family: 'ipv4' }
  const bare = address.replace(/%.*$/, '')
  if (!wrapped.check(bare, 'ipv6')) return { address: bare, family: 'ipv6' }
  return { address: lastBitsOf(bare), family: 'ipv4' }
}

/** The last 32 bits of an IPv6 address as an IPv4 address. */
function lastBitsOf(address: string): string {
  // The parser of addresses writes IPv6 in one way only: groups in hexadecimal, and no dots.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':').slice(-2)
  return groups
    .map((group) => Number.parseInt(group || '0', 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.')
}

/** What an address is, however it is spelled. */
export function kindOf(address: string): Kind {
  const known = plain(address)
  if (known === null) return 'private'
  if (known.family === 'ipv4') {
    if (loopbackIpv4.check(known.address)) return 'loopback'
    return privateIpv4.check(known.address) ? 'private' : 'public'
  }
  if (loopbackIpv6.check(known.address, 'ipv6')) return 'loopback'
  const isPublic = globalIpv6.check(known.address, 'ipv6') && !privateIpv6.check(known.address, 'ipv6')
  return isPublic ? 'public' : 'private'
}
