import type { z } from 'zod'
import { AppError } from '../errors'

const maxIssues = 50

/** The input as the schema makes it. Throws invalid_input with one issue per fault. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.slice(0, maxIssues).map(({ path, message }) => ({
    path: path.join('.').slice(0, 200),
    message: message.slice(0, 500),
  }))
  const first = issues[0]
  const where = first?.path ? `${first.path}: ` : ''
  throw new AppError('invalid_input', `${where}${first?.message ?? 'The input is not valid.'}`, { issues })
}
