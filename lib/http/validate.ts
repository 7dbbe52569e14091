import type { z } from 'zod'
import { AppError } from '../errors'

const maxIssues = 50
/** What else stands in the place of a name may be anything, such as a key, and is not repeated. */
const fieldName = /^[A-Za-z_]\w{0,31}$/

/** The input as the schema makes it. Throws invalid_input with one issue per fault. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.slice(0, maxIssues).map((issue) => ({
    path: issue.path.map(showName).join('.').slice(0, 200),
    message: messageOf(issue).slice(0, 500),
  }))
  const first = issues[0]
  const where = first?.path ? `${first.path}: ` : ''
  throw new AppError('invalid_input', `${where}${first?.message ?? 'The input is not valid.'}`, { issues })
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys' || issue.keys.every((key) => fieldName.test(key)))
    return issue.message
  return `Unrecognized keys: ${issue.keys.map((key) => `"${showName(key)}"`).join(', ')}`
}

function showName(name: PropertyKey): string {
  const text = String(name)
  return typeof name === 'number' || fieldName.test(text) ? text : '…'
}
