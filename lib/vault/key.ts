import { recordAudit } from '../audit'
import { db, type Transaction } from '../db'
import { env, hasServerSecret, serverSecret } from '../env'
import { AppError } from '../errors'
import { remember } from '../remember'
import {
  createKek,
  deriveKek,
  deriveRootKey,
  isProofOf,
  type Kek,
  makeProof,
  unwrapKek,
  wrapKek,
} from './seal'

const lockNumber = 4_711_003

/** Where the server's secret comes from: whether there is one already, and reading it, which makes one if not; the former one. */
export type SecretSource = { exists: () => boolean; read: () => string; previous?: () => string | undefined }

/** What the server's secret opens: the first key, derived from it, and the one under which all later keys are kept. */
export type Master = { first: Kek; root: Buffer }

/** A key-encryption key as the database has it. */
export type VaultKeyRow = {
  version: number
  proof: Uint8Array
  wrapped: Uint8Array | null
  retiredAt: Date | null
}

const serverSource: SecretSource = {
  exists: () => hasServerSecret('VAULT_KEY'),
  read: () => serverSecret('VAULT_KEY'),
  previous: () => env().VAULT_KEY_PREVIOUS,
}

const unlocked = () => remember('vault.master', () => ({ master: null as Promise<Master> | null }))

/** What the server's secret opens, proven once against the database. Throws unavailable as `proveSecret` does. */
export function getMaster(): Promise<Master> {
  const held = unlocked()
  held.master ??= proveSecret(serverSource).catch((error) => {
    held.master = null
    throw error
  })
  return held.master
}

/**
 * What the secret opens, if it is the one that the sealed records need; an empty vault takes any secret. If the former
 * one is, the vault's keys are kept under this one from now on.
 * Throws unavailable, in one line and without changing anything, if the secret is another one or is missing.
 */
export async function proveSecret(source: SecretSource): Promise<Master> {
  return db().$transaction(async (tx) => {
    const keys = await lockLiveKeys(tx)
    const sealedCount = await tx.credential.count()
    if (!source.exists() && sealedCount > 0) throw missing(sealedCount)
    const master = masterOf(source.read())
    const [newest] = keys
    if (newest && findKek(master, newest)) return master
    const previous = source.previous?.()
    if (previous !== undefined && (await rewrapKeys(tx, { from: masterOf(previous), to: master }, keys)))
      return master
    if (sealedCount > 0) throw wrong(sealedCount)
    await startOver(tx, master)
    return master
  })
}

function masterOf(secret: string): Master {
  return { first: deriveKek(secret, 1), root: deriveRootKey(secret) }
}

/** Keeps all keys under the new secret, if the former one opens them all; the first key, too, which came out of that one. */
async function rewrapKeys(
  tx: Transaction,
  { from, to }: { from: Master; to: Master },
  keys: VaultKeyRow[],
): Promise<boolean> {
  const keks = keys.flatMap((row) => findKek(from, row) ?? [])
  if (keks.length === 0 || keks.length < keys.length) return false
  for (const kek of keks) {
    await tx.vaultKey.update({ where: { version: kek.version }, data: { wrapped: wrapKek(to.root, kek) } })
  }
  await recordAudit({ actorId: null, action: 'vault.rewrapped' }, tx)
  return true
}

/** Nothing is sealed, so whatever keys there are may go: the vault begins anew under this secret. */
async function startOver(tx: Transaction, master: Master): Promise<void> {
  const last = await tx.vaultKey.findFirst({ orderBy: { version: 'desc' } })
  if (last === null || last.version === master.first.version) {
    const anew = { proof: makeProof(master.first), wrapped: null, retiredAt: null }
    const { version } = master.first
    await tx.vaultKey.upsert({ where: { version }, create: { version, ...anew }, update: anew })
    return
  }
  await tx.vaultKey.updateMany({ where: { retiredAt: null }, data: { wrapped: null, retiredAt: new Date() } })
  await addKey(tx, master, last.version + 1)
}

/** Makes a key of this number, under which everything is sealed as soon as the transaction ends. */
export async function addKey(tx: Transaction, { root }: Master, version: number): Promise<void> {
  const kek = createKek(version)
  await tx.vaultKey.create({ data: { version, proof: makeProof(kek), wrapped: wrapKek(root, kek) } })
}

/**
 * The keys that are not retired, newest first, which nobody else adds, retires or seals under until the transaction ends.
 * Whoever seals holds `FOR SHARE` what is locked here.
 */
export async function lockLiveKeys(tx: Transaction): Promise<VaultKeyRow[]> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${lockNumber})`
  return tx.$queryRaw<VaultKeyRow[]>`
    SELECT version, proof, wrapped, retired_at AS "retiredAt" FROM vault_keys
    WHERE retired_at IS NULL ORDER BY version DESC FOR UPDATE`
}

/**
 * The newest key, which is not retired before the transaction ends: what is to be sealed is sealed under this one.
 * Throws unavailable if another server has started on an empty vault with another secret.
 */
export async function holdNewestKek(tx: Transaction, master: Master): Promise<Kek> {
  // One that is retired while this waits for it is not found; the next one is there by then.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const [row] = await tx.$queryRaw<VaultKeyRow[]>`
      SELECT version, proof, wrapped, retired_at AS "retiredAt" FROM vault_keys
      WHERE retired_at IS NULL ORDER BY version DESC LIMIT 1 FOR SHARE`
    if (row) return kekOf(master, row)
  }
  throw changedElsewhere()
}

/** The key in this row, which must not be retired. Throws unavailable if the server's secret does not open it. */
export function kekOf(master: Master, row: VaultKeyRow): Kek {
  const kek = findKek(master, row)
  if (!kek) throw changedElsewhere()
  return kek
}

function findKek({ first, root }: Master, { version, proof, wrapped, retiredAt }: VaultKeyRow): Kek | null {
  if (retiredAt !== null) return null
  if (wrapped === null) return version === first.version && isProofOf(first, proof) ? first : null
  try {
    const kek = unwrapKek(root, version, wrapped)
    return isProofOf(kek, proof) ? kek : null
  } catch {
    return null
  }
}

function changedElsewhere(): AppError {
  return new AppError(
    'unavailable',
    'The vault was opened with another key by another server. Restart this one.',
  )
}

function missing(sealedCount: number): AppError {
  const message = `The key of the vault is missing, and ${inWords(sealedCount)} with it. Put the file vault-key back into DATA_DIR, or set VAULT_KEY to what it was. Nothing was changed.`
  return new AppError('unavailable', message)
}

function wrong(sealedCount: number): AppError {
  const message = `VAULT_KEY (or the file vault-key in DATA_DIR) is not the key of this vault, and ${inWords(sealedCount)} with the right one. Put that one back. To change it, set VAULT_KEY_PREVIOUS to the former one. Nothing was changed.`
  return new AppError('unavailable', message)
}

function inWords(count: number): string {
  return count === 1 ? '1 credential is sealed' : `${count} credentials are sealed`
}
