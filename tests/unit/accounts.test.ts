import { expect, test } from 'vitest'
import { safeReturnPath } from '../../lib/contracts/accounts'

test('after signing in the browser stays on this site', () => {
  const elsewhere = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    '/%2e//evil.example',
    'javascript:alert(1)',
    '',
    null,
    undefined,
    'dashboard',
    `/${'x'.repeat(2001)}`,
  ]
  for (const path of elsewhere) expect([path, safeReturnPath(path)]).toEqual([path, '/dashboard'])
})

test('and goes where it wanted to be', () => {
  for (const path of ['/vault', '/chat/a/b?x=1#end', '/projects/a%2Fb'])
    expect(safeReturnPath(path)).toBe(path)
  expect(safeReturnPath('/a/../vault')).toBe('/vault')
  expect(safeReturnPath('/login?next=/vault')).toBe('/dashboard')
})
