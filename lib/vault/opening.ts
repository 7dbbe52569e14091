import { sql } from '../db'
import { AppError } from '../errors'
import { getMaster, kekOf, type Master, type VaultKeyRow } from './key'
import { rememberFailure } from './outcome'
import { sealedFor } from './records'
import { openSecret, type Sealed, type Secret } from './seal'

/** What is needed of a record to open it. */
export type SealedRow = Sealed & {
  id: string
  scope: string
  userId: string | null
  projectId: string | null
  version: number
  baseUrl: string
}

type Joined = SealedRow & {
  failure: string | null
  proof: Uint8Array | null
  wrapped: Uint8Array | null
  retiredAt: Date | null
}

/**
 * What lies in a record, as long as it is the version that somebody was found to have a right to. It and the key that it
 * is sealed under are read in one statement, so that no rotation comes in between.
 * Throws not_found where it was moved, replaced or deleted meanwhile, and provider_auth if it does not open.
 */
export async function openRecord(credentialId: string, version: number): Promise<Secret> {
  const master = await getMaster()
  const [row] = await sql<Joined>`
    SELECT c.id, c.scope, c.user_id AS "userId", c.project_id AS "projectId", c.version, c.base_url AS "baseUrl",
      c.kek_version AS "kekVersion", c.wrapped_key AS "wrappedKey", c.sealed, c.failure,
      k.proof, k.wrapped, k.retired_at AS "retiredAt"
    FROM credentials c LEFT JOIN vault_keys k ON k.version = c.kek_version
    WHERE c.id = ${credentialId}::uuid AND c.version = ${version}`
  if (!row) throw new AppError('not_found', 'The key was changed or deleted just now. Try again.')
  rememberFailure(row)
  const { proof, wrapped, retiredAt, kekVersion } = row
  return openRow(master, row, proof && { version: kekVersion, proof, wrapped, retiredAt })
}

/** The same for a row that is at hand, with the key that it names. Throws provider_auth if it does not open. */
export function openRow(master: Master, row: SealedRow, key: VaultKeyRow | null): Secret {
  if (!key || key.retiredAt !== null) throw refuse('it is sealed under a key that is no longer valid')
  const secret = openSecret(kekOf(master, key), sealedFor(row), row)
  if (secret.baseUrl !== row.baseUrl) throw refuse('the address in its record was changed')
  return secret
}

function refuse(reason: string): AppError {
  const message = `A key in the vault is not used: ${reason}. Delete it there and add the key again.`
  return new AppError('provider_auth', message, { facts: { remedy: 'vault' } })
}
