import { expect, test } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../lib/errors'
import { readRequestId } from '../../lib/http/request-id'
import { parseInput } from '../../lib/http/validate'

const key = 'sk-test-of-somebody-0123456789abcdef'

function refusalOf(schema: z.ZodType, input: unknown): AppError {
  try {
    parseInput(schema, input)
  } catch (error) {
    if (error instanceof AppError) return error
  }
  throw new Error('It was not refused.')
}

test.each([
  ['a field of that name', z.strictObject({ a: z.string() }), { a: 'x', [key]: 1, b: 2 }],
  ['a value of that name', z.record(z.string(), z.number()), { [key]: 'none' }],
  ['a value', z.enum(['a', 'b']), key],
  ['a value that is a list', z.strictObject({ password: z.string() }), { password: [key] }],
])('a refusal does not repeat a key that came as %s', (_, schema, input) => {
  const { message, issues } = refusalOf(schema, input)
  expect(JSON.stringify([message, issues])).not.toContain('sk-test')
  expect(message).not.toBe('')
})

test('an unknown field is named, where its name is one', () => {
  const schema = z.strictObject({ a: z.string() })
  expect(refusalOf(schema, { a: 'x', colour: 1 }).issues?.[0]?.message).toBe('Unrecognized key: "colour"')
  expect(refusalOf(schema, { a: 'x', colour: 1, [key]: 1 }).issues?.[0]?.message).toBe(
    'Unrecognized keys: "colour", "…"',
  )
})

test('a request keeps the name that its caller gave it, unless that begins like a key', () => {
  const named = (id: string) => readRequestId(new Request('http://x', { headers: { 'x-request-id': id } }))
  expect(named('a-trace-of-ours_01')).toBe('a-trace-of-ours_01')
  for (const secret of [key, 'alc_0123456789', 'pk_live_0123456789'])
    expect(named(secret)).not.toContain(secret)
})
