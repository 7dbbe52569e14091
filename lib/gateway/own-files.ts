import type { Actor } from '../auth'
import { AppError } from '../errors'
import { findOwnCopies } from '../files'
import type { LentKey } from '../vault'
import { findOwnFiles, noFile } from './file-rows'

/** Files that one request may name. */
const maxNamed = 1000

/**
 * Before a request that names files goes out with a key: throws not_found unless all are the actor's own and lie where
 * that key leads, be it that they came by the gateway or by the pages; invalid_input for more than 1000.
 */
export async function requireOwnFiles(actor: Actor, key: LentKey, fileIds: readonly string[]): Promise<void> {
  const named = [...new Set(fileIds)]
  if (named.length > maxNamed) {
    const message = `A request can name ${maxNamed} files at most.`
    throw new AppError('invalid_input', message, { issues: [{ path: 'file_id', message }] })
  }
  const own = new Set(named.length > 0 ? await findOwnFiles(actor, key, named) : [])
  const others = named.filter((id) => !own.has(id))
  const copies = new Set(others.length > 0 ? await findOwnCopies(actor, key, others) : [])
  const strange = others.find((id) => !copies.has(id))
  if (strange !== undefined) throw noFile(strange, 'file_id')
}
