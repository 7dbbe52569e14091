import fc from 'fast-check'
import { expect, test } from 'vitest'
import { callerAddress, callerNetwork } from '../../lib/http'

process.env.LOG_LEVEL = 'silent'

const from = (address: string) => callerAddress({ headers: new Headers({ 'x-al-peer': address }) })

test('who calls is an address, or unknown', () => {
  expect(from('192.0.2.1')).toBe('192.0.2.1')
  expect(from('2001:db8::1')).toBe('2001:db8::1')
  for (const other of ['', 'unknown', '192.0.2.1:80', '1.2.3', 'localhost'])
    expect(from(other)).toBe('unknown')
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:0:0:0:1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['2001:db8:1:2:3:4:192.0.2.1', '2001:db8:1:2::/64'],
  ['unknown', 'unknown'],
])('%s is counted as %s', (address, network) => {
  expect(callerNetwork(address)).toBe(network)
})

test('two addresses are counted as one where their first 64 bits are the same, however they are written', () => {
  const group = fc.integer({ min: 0, max: 0xffff })
  const groups = fc.tuple(group, group, group, group, group, group, group, group)
  const write = (parts: number[]) => parts.map((part) => part.toString(16)).join(':')
  const writeWide = (parts: number[]) =>
    parts
      .map((part) => part.toString(16).padStart(4, '0'))
      .join(':')
      .toUpperCase()
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      const neighbour = [...one.slice(0, 4), ...other.slice(4)]
      expect(callerNetwork(writeWide(neighbour))).toBe(callerNetwork(write(one)))
      const isSame = write(one.slice(0, 4)) === write(other.slice(0, 4))
      expect(callerNetwork(write(one)) === callerNetwork(write(other))).toBe(isSame)
    }),
  )
})
