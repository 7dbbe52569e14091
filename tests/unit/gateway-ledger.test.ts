import { expect, test } from 'vitest'
import { estimateInput } from '@/lib/gateway/ledger'
import type { Question } from '@/lib/gateway/question'

const ask = (more: Partial<Question>) =>
  estimateInput({ path: '/responses', bytes: Buffer.alloc(400), ...more } as Question)

test('a call is estimated with the conversation that is sent along with it', () => {
  expect(ask({})).toBe(100)
  expect(ask({ earlier: [] })).toBe(100)
  const earlier = [{ role: 'user', content: 'x'.repeat(4000) }]
  expect(ask({ earlier })).toBe(100 + Math.ceil(JSON.stringify(earlier).length / 4))
})

test('moderations cost nothing', () => {
  expect(ask({ path: '/moderations' })).toBe(0)
})
