import { createHash } from 'node:crypto'
import type { Pool } from 'pg'
import { asStorageError } from './errors'

/** Runs one statement; values in the template become its parameters. Throws only AppError. */
export type Sql = <Row>(text: TemplateStringsArray, ...values: unknown[]) => Promise<Row[]>

type Statement = { text: string; name: string }
const statements = new WeakMap<TemplateStringsArray, Statement>()

/** The same template is the same statement, so that the server need not plan it twice. */
function statementOf(strings: TemplateStringsArray): Statement {
  const known = statements.get(strings)
  if (known) return known
  const text = strings.reduce((all, part, index) => `${all}$${index}${part}`)
  // By its content: pages have a copy of this module of their own, and the same connections.
  const statement = { text, name: `al_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}` }
  statements.set(strings, statement)
  return statement
}

/** Statements on this pool. `prepares`: it leads to one server for good, and not through a pooler. */
export function sqlOn(pool: Pool, prepares: boolean): Sql {
  return async <Row>(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]> => {
    const { text, name } = statementOf(strings)
    try {
      const { rows } = await pool.query(prepares ? { text, values, name } : { text, values })
      return rows as Row[]
    } catch (error) {
      throw asStorageError(error)
    }
  }
}
