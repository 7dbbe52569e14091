import { setTimeout as sleep } from 'node:timers/promises'
import { recordAudit } from '../audit'
import type { RotationRecord } from '../contracts/credentials'
import { db, sql, type Transaction } from '../db'
import { log } from '../log'
import { remember } from '../remember'
import { addKey, getMaster, kekOf, lockLiveKeys, type Master, type VaultKeyRow } from './key'
import { announceChange } from './lending'
import type { SealedRow } from './opening'
import { sealedFor } from './records'
import { type Kek, openSecret, type Sealed, sealSecret } from './seal'

const batchSize = 50
/** Most records that the audit names where they do not open. */
const maxNamed = 20
const firstPauseMs = 1000
const longestPauseMs = 60_000

/** Who asked for a rotation; nobody where the server began it by itself. */
type Who = { actorId: string | null; keyId?: string | null; ip?: string | null; requestId?: string | null }

type Run = { current: Promise<void> | null; ending: AbortController }
const running = () =>
  remember<Run>('vault.rotation', () => ({ current: null, ending: new AbortController() }))

/**
 * Makes a new key the one under which everything is sealed from now on, and begins to seal anew what lies under the last
 * one. A rotation that is not at its end goes on instead, and is what is told.
 */
export async function beginRotation(who: Who): Promise<RotationRecord> {
  const master = await getMaster()
  const rotation = await db().$transaction(async (tx) => {
    const [newest, last] = await lockLiveKeys(tx)
    if (!newest) throw new Error('the vault has no key')
    if (last) return { from_version: last.version, to_version: newest.version }
    kekOf(master, newest)
    const toVersion = newest.version + 1
    await addKey(tx, master, toVersion)
    const detail = { fromVersion: newest.version, toVersion }
    await recordAudit({ ...who, action: 'vault.rotate', detail }, tx)
    return { from_version: newest.version, to_version: toVersion }
  })
  goOn()
  return rotation
}

/**
 * Goes on, without waiting for it, with a rotation that a stop or a crash left behind; and begins one where the first
 * key came out of a secret that was changed since, since whoever knows that secret can make the key again.
 */
export async function resumeRotation(): Promise<void> {
  running().ending = new AbortController()
  const live = await listLiveKeys()
  const isOfFormerSecret = live.some(({ version, wrapped }) => version === 1 && wrapped !== null)
  if (live.length > 1) goOn()
  else if (isOfFormerSecret) await beginRotation({ actorId: null })
}

/** Leaves a rotation that is under way to the next start, at a point where that can go on. */
export async function stopRotation(): Promise<void> {
  running().ending.abort()
  await running().current
}

function goOn(): void {
  const run = running()
  if (run.ending.signal.aborted) return
  run.current ??= rotateUntilDone(run.ending.signal).finally(() => {
    run.current = null
  })
}

/** Never throws: what fails is tried again until the server stops. */
async function rotateUntilDone(ending: AbortSignal): Promise<void> {
  for (let pauseMs = firstPauseMs; !ending.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await rotate(await getMaster(), ending)
    } catch (err) {
      log().warn({ err, pauseMs }, 'the rotation of the vault did not get on; it is tried again')
      await sleep(pauseMs, undefined, { signal: ending, ref: false }).catch(() => undefined)
    }
  }
}

async function rotate(master: Master, ending: AbortSignal): Promise<void> {
  const [newest, ...older] = await listLiveKeys()
  if (!newest) return
  for (const old of older) {
    const keys = { from: kekOf(master, old), to: kekOf(master, newest) }
    do await resealAll(keys, ending)
    while (!ending.aborted && !(await retire(keys)))
  }
}

async function listLiveKeys(): Promise<VaultKeyRow[]> {
  return db().vaultKey.findMany({ where: { retiredAt: null }, orderBy: { version: 'desc' } })
}

type Keys = { from: Kek; to: Kek }

/** One pass over what lies under the old key. */
async function resealAll(keys: Keys, ending: AbortSignal): Promise<void> {
  for await (const row of listUnder(keys.from)) {
    if (ending.aborted) return
    const sealed = resealed(keys, row)
    if (sealed) await replace(row, sealed)
  }
}

const beforeAll = '00000000-0000-0000-0000-000000000000'

/** The records under a key, read in small batches. */
async function* listUnder({ version }: Kek): AsyncGenerator<SealedRow> {
  for (let after = beforeAll, isLast = false; !isLast; ) {
    const rows = await sql<SealedRow>`
      SELECT id, scope, user_id AS "userId", project_id AS "projectId", version, base_url AS "baseUrl",
        kek_version AS "kekVersion", wrapped_key AS "wrappedKey", sealed
      FROM credentials WHERE kek_version = ${version} AND id > ${after}::uuid ORDER BY id LIMIT ${batchSize}`
    yield* rows
    after = rows.at(-1)?.id ?? after
    isLast = rows.length < batchSize
  }
}

/** The same secret under a data key of its own and the new key; null for a record that does not open. */
function resealed({ from, to }: Keys, row: SealedRow): Sealed | null {
  const boundTo = sealedFor(row)
  try {
    return sealSecret(to, boundTo, openSecret(from, boundTo, row))
  } catch {
    return null
  }
}

/** Unless somebody has changed the record in the meantime: then what they put there stays. */
async function replace(row: SealedRow, { kekVersion, wrappedKey, sealed }: Sealed): Promise<void> {
  await sql`
    UPDATE credentials SET kek_version = ${kekVersion}, wrapped_key = ${wrappedKey}, sealed = ${sealed}
    WHERE id = ${row.id}::uuid AND kek_version = ${row.kekVersion} AND version = ${row.version}
      AND wrapped_key = ${row.wrappedKey} AND sealed = ${row.sealed}`
}

/**
 * Ends the old key for good, once nothing that opens lies under it: nobody can seal while this looks. What did not open
 * before either is left as it is, and told. Returns whether the key is at its end.
 */
async function retire({ from, to }: Keys): Promise<boolean> {
  const isRetired = await db().$transaction(async (tx) => {
    const live = await lockLiveKeys(tx)
    // Another server may have been faster.
    if (!live.some(({ version }) => version === from.version)) return true
    const unreadableIds: string[] = []
    for await (const row of listUnder(from)) {
      if (resealed({ from, to }, row)) return false
      unreadableIds.push(row.id)
    }
    await writeEnd(tx, { from, to }, unreadableIds)
    return true
  })
  if (isRetired) announceChange()
  return isRetired
}

async function writeEnd(tx: Transaction, { from, to }: Keys, unreadableIds: string[]): Promise<void> {
  const retired = { wrapped: null, retiredAt: new Date() }
  await tx.vaultKey.update({ where: { version: from.version }, data: retired })
  const detail = {
    fromVersion: from.version,
    toVersion: to.version,
    credentials: await tx.credential.count({ where: { kekVersion: to.version } }),
    unreadable: unreadableIds.length,
    unreadableIds: unreadableIds.slice(0, maxNamed),
  }
  await recordAudit({ actorId: null, action: 'vault.rotated', detail }, tx)
  if (detail.unreadable > 0)
    log().warn(detail, 'some records of the vault did not open, and were left as they are')
}
