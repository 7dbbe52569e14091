import { createHash } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import { asAppError } from '../errors'
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

/** Statements on this pool or connection. `prepares`: it leads to one server for good, and not through a pooler. */
export function sqlOn(connection: Pool | PoolClient, prepares: boolean): Sql {
  return async <Row>(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]> => {
    const { text, name } = statementOf(strings)
    try {
      const { rows } = await connection.query(prepares ? { text, values, name } : { text, values })
      return rows as Row[]
    } catch (error) {
      throw asStorageError(error)
    }
  }
}

/** Runs statements in one transaction; whatever is thrown undoes them all. */
export async function transactOn<T>(
  pool: Pool,
  prepares: boolean,
  run: (sql: Sql) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asStorageError(error)
  })
  const sql = sqlOn(client, prepares)
  let isBroken = false
  // The statement under way fails of it too; unheard, it would end the process.
  const onError = () => {
    isBroken = true
  }
  client.on('error', onError)
  try {
    await sql`BEGIN`
    const result = await run(sql)
    await sql`COMMIT`
    return result
  } catch (error) {
    // One that does not answer would not answer this either; one on which it fails is of no more use.
    if (asAppError(error).code === 'unavailable') isBroken = true
    if (!isBroken) await sql`ROLLBACK`.catch(onError)
    throw error
  } finally {
    client.off('error', onError)
    client.release(isBroken)
  }
}
