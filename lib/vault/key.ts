import { db, type Transaction } from '../db'
import { hasServerSecret, serverSecret } from '../env'
import { AppError } from '../errors'
import { remember } from '../remember'
import { deriveKek, isProofOf, type Kek, makeProof } from './seal'

const currentVersion = 1

const lockNumber = 4_711_003

/** Where the server's secret comes from: whether there is one already, and reading it, which makes one if not. */
export type SecretSource = { exists: () => boolean; read: () => string }

const serverSource: SecretSource = {
  exists: () => hasServerSecret('VAULT_KEY'),
  read: () => serverSecret('VAULT_KEY'),
}

const unlocked = () => remember('vault.kek', () => ({ kek: null as Promise<Kek> | null }))

/** The key-encryption key, proven once against the database. Throws unavailable as `proveKek` does. */
export function getKek(): Promise<Kek> {
  const held = unlocked()
  held.kek ??= proveKek(serverSource).catch((error) => {
    held.kek = null
    throw error
  })
  return held.kek
}

/**
 * The key-encryption key, if it is the one that the sealed records need; an empty vault takes any key.
 * Throws unavailable, in one line and without changing anything, if the key is another one or is missing.
 */
export async function proveKek(source: SecretSource): Promise<Kek> {
  return db().$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${lockNumber})`
    const proof = await lockProof(tx, currentVersion)
    const sealedCount = await tx.credential.count()
    if (!source.exists() && sealedCount > 0) throw missing(sealedCount)
    const kek = deriveKek(source.read(), currentVersion)
    if (proof && isProofOf(kek, proof)) return kek
    if (sealedCount > 0) throw wrong(sealedCount)
    const fresh = makeProof(kek)
    await tx.vaultKey.upsert({
      where: { version: kek.version },
      create: { version: kek.version, proof: fresh },
      update: { proof: fresh },
    })
    return kek
  })
}

/**
 * Makes sure, until the transaction ends, that this key is still the one that the vault is proven with:
 * another server may have started on an empty vault with another key. Throws unavailable.
 */
export async function holdProof(tx: Transaction, kek: Kek): Promise<void> {
  const [row] = await tx.$queryRaw<{ proof: Uint8Array }[]>`
    SELECT proof FROM vault_keys WHERE version = ${kek.version} FOR SHARE`
  if (row && isProofOf(kek, row.proof)) return
  throw new AppError(
    'unavailable',
    'The vault was opened with another key by another server. Restart this one.',
  )
}

async function lockProof(tx: Transaction, version: number): Promise<Uint8Array | null> {
  const [row] = await tx.$queryRaw<{ proof: Uint8Array }[]>`
    SELECT proof FROM vault_keys WHERE version = ${version} FOR UPDATE`
  return row?.proof ?? null
}

function missing(sealedCount: number): AppError {
  const message = `The key of the vault is missing, and ${inWords(sealedCount)} with it. Put the file vault-key back into DATA_DIR, or set VAULT_KEY to what it was. Nothing was changed.`
  return new AppError('unavailable', message)
}

function wrong(sealedCount: number): AppError {
  const message = `VAULT_KEY (or the file vault-key in DATA_DIR) is not the key of this vault, and ${inWords(sealedCount)} with the right one. Put that one back. Nothing was changed.`
  return new AppError('unavailable', message)
}

function inWords(count: number): string {
  return count === 1 ? '1 credential is sealed' : `${count} credentials are sealed`
}
