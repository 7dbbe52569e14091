import { CredentialFailure } from '../contracts/credentials'
import { sql } from '../db'
import { asAppError } from '../errors'
import { log } from '../log'
import { remember } from '../remember'
import { forgetPapita } from './papita'
import type { ServingKey } from './resolve'

type Lent = Pick<ServingKey, 'credentialId' | 'version'> & {
  source?: ServingKey['source']
  apiKey?: string | null
}

const maxKnown = 10_000

/** What is said against keys, as far as this server knows: a change alone is written. */
const known = () => remember('vault.failures', () => new Map<string, string | null>())

const nameOf = (id: string, version: number) => `${id}|${version}`

/** Takes note of what the record says, as it is read to be lent. */
export function rememberFailure({
  id,
  version,
  failure,
}: {
  id: string
  version: number
  failure: string | null
}): void {
  if (known().size >= maxKnown) known().clear()
  known().set(nameOf(id, version), failure)
}

/**
 * Notes against a stored key what its call failed with, as the error says in `facts.failure`, or, with null, that it
 * works; a refused key of Papita's is asked for anew. Errors that are no fault of the key's change nothing, and a key that was replaced meanwhile is left alone.
 * Never throws; nobody needs to wait for it.
 */
export async function noteOutcome(key: Lent, error: unknown): Promise<void> {
  const { credentialId, version } = key
  const failure = error === null ? null : failureOf(error)
  if (key.source === 'papita' && key.apiKey && failure === 'refused') forgetPapita(key.apiKey)
  if (!credentialId || version === undefined || failure === undefined) return
  const name = nameOf(credentialId, version)
  if (known().get(name) === failure) return
  rememberFailure({ id: credentialId, version, failure })
  try {
    await sql`
      UPDATE credentials SET failure = ${failure}, failed_at = ${failure === null ? null : new Date()}::timestamptz
      WHERE id = ${credentialId}::uuid AND version = ${version} AND failure IS DISTINCT FROM ${failure}`
  } catch (err) {
    known().delete(name)
    log().warn({ err, credentialId }, 'what a key failed with was not noted')
  }
}

function failureOf(error: unknown): CredentialFailure | undefined {
  return CredentialFailure.safeParse(asAppError(error).facts?.failure).data
}
