import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Actor } from '@/lib/auth'
import { db } from '@/lib/db'
import {
  deleteCredential,
  findVaultKeyState,
  resumeRotation,
  rotateVault,
  stopRotation,
  updateCredential,
  withStoredCredential,
} from '@/lib/vault'
import { getMaster, holdNewestKek, kekOf } from '@/lib/vault/key'
import { sealedFor } from '@/lib/vault/records'
import { sealSecret } from '@/lib/vault/seal'
import { makeActor, openLibrary, origin } from '../support/library'
import { baseUrl, keepKey, keepMany, openNow, untilRotated } from '../support/vault'

let close: () => Promise<void>
let admin: Actor
let ada: Actor

beforeAll(async () => {
  close = await openLibrary({ VAULT_KEY: 'the secret of this server, 32 bytes or more' })
  admin = await makeActor('admin', 'admin')
  ada = await makeActor('ada')
  await getMaster()
})
afterAll(async () => {
  await stopRotation()
  await close()
})
beforeEach(async () => {
  await resumeRotation()
  await untilRotated()
  await db().credential.deleteMany()
})

const rowOf = (id: string) => db().credential.findUniqueOrThrow({ where: { id } })
const keyOf = (version: number) => db().vaultKey.findUniqueOrThrow({ where: { version } })
const keyIn = async (id: string) => (await openNow(id)).apiKey
const written = (action: string) =>
  db().auditEvent.findFirst({ where: { action }, orderBy: [{ at: 'desc' }, { id: 'desc' }] })

/** Who waits for a lock on a row of credentials. */
const waitingForRow = () => db().$queryRaw<unknown[]>`
  SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE credentials SET kek_version%'`

test('an admin sees which version seals the vault and that nothing is left under another; nobody else does', async () => {
  await keepKey(ada, 'sk-test-rotated-00')
  const { to_version } = await rotateVault(admin, origin)
  await untilRotated()
  const { createdAt } = await keyOf(to_version)
  expect(await findVaultKeyState(admin)).toEqual({
    version: to_version,
    since: createdAt.toISOString(),
    from_version: null,
    remaining: 0,
  })
  expect(await findVaultKeyState(ada)).toBeNull()
})

test('an admin sees from which version a rotation comes that is under way, and how much is left', async () => {
  await keepMany(ada, 3)
  await stopRotation()
  const { from_version, to_version } = await rotateVault(admin, origin)
  expect(await findVaultKeyState(admin)).toMatchObject({ version: to_version, from_version, remaining: 3 })
})

test('everything is sealed anew, under another key, data key and nonce, and opens as before', async () => {
  const { id, updatedAt } = await keepKey(ada, 'sk-test-rotated-01')
  const before = await rowOf(id)
  const { from_version, to_version } = await rotateVault(admin, origin)
  expect(to_version).toBe(from_version + 1)
  expect(before.kekVersion).toBe(from_version)
  expect(await untilRotated()).toBe(to_version)
  const after = await rowOf(id)
  expect(after).toMatchObject({ kekVersion: to_version, version: before.version })
  expect(after.updatedAt.toISOString()).toBe(updatedAt)
  for (const field of ['sealed', 'wrappedKey'] as const) {
    expect(Buffer.from(after[field]).equals(before[field])).toBe(false)
  }
  expect(await keyIn(id)).toBe('sk-test-rotated-01')
})

test('the retired key is gone from the database, and a row put back from before does not open', async () => {
  const { id } = await keepKey(ada, 'sk-test-put-back-01')
  const { sealed, wrappedKey, kekVersion } = await rowOf(id)
  for (let times = 0; times < 2; times += 1) {
    await rotateVault(admin, origin)
    await untilRotated()
    expect(await keyOf(kekVersion)).toMatchObject({ wrapped: null, retiredAt: expect.any(Date) })
    const now = await rowOf(id)
    await db().credential.update({ where: { id }, data: { sealed, wrappedKey, kekVersion } })
    const refused = expect.objectContaining({ code: 'provider_auth' })
    await expect(openNow(id)).rejects.toEqual(refused)
    await expect(withStoredCredential(ada, id, origin, async (key) => key)).rejects.toEqual(refused)
    // Nor with the number of the key of today on it.
    await db().credential.update({ where: { id }, data: { kekVersion: now.kekVersion } })
    await expect(openNow(id)).rejects.toEqual(refused)
    await db().credential.update({ where: { id }, data: now })
    expect(await keyIn(id)).toBe('sk-test-put-back-01')
  }
})

test('a retired key does not open though it is put back itself, without the word that it is retired', async () => {
  const { id } = await keepKey(ada, 'sk-test-key-back-01')
  const { from_version: version } = await rotateVault(admin, origin)
  await untilRotated()
  const { from_version } = await rotateVault(admin, origin)
  await untilRotated()
  const { wrapped } = await keyOf(from_version)
  expect({ version, wrapped }).toMatchObject({ wrapped: null })
  // Later keys cannot be made again from anything.
  await db().vaultKey.update({ where: { version: from_version }, data: { retiredAt: null } })
  await db().credential.update({ where: { id }, data: { kekVersion: from_version } })
  try {
    await expect(openNow(id)).rejects.toMatchObject({ code: 'unavailable' })
  } finally {
    await db().vaultKey.update({ where: { version: from_version }, data: { retiredAt: new Date() } })
  }
})

test('who began it, and how it ended, is written down', async () => {
  await keepMany(ada, 3)
  const { from_version: fromVersion, to_version: toVersion } = await rotateVault(admin, origin)
  await untilRotated()
  expect(await written('vault.rotate')).toMatchObject({
    actorId: admin.userId,
    ip: origin.ip,
    requestId: origin.requestId,
    detail: { fromVersion, toVersion },
  })
  expect(await written('vault.rotated')).toMatchObject({
    actorId: null,
    detail: { fromVersion, toVersion, credentials: 3, unreadable: 0 },
  })
})

test('only an admin begins one, and what cannot be written down is not begun', async () => {
  const before = await db().vaultKey.findMany()
  await expect(rotateVault(ada, origin)).rejects.toMatchObject({ code: 'forbidden' })
  await db().$executeRawUnsafe('ALTER TABLE audit_events RENAME TO audit_events_gone')
  try {
    await expect(rotateVault(admin, origin)).rejects.toMatchObject({ name: 'AppError' })
  } finally {
    await db().$executeRawUnsafe('ALTER TABLE audit_events_gone RENAME TO audit_events')
  }
  expect(await db().vaultKey.findMany()).toEqual(before)
})

test('an empty vault is rotated too', async () => {
  const { to_version } = await rotateVault(admin, origin)
  expect(await untilRotated()).toBe(to_version)
})

test('one that was left in the middle is told again, goes on at the next start, and comes to its end', async () => {
  const kept = await keepMany(ada, 1000)
  const begun = await rotateVault(admin, origin)
  await expect
    .poll(() => db().credential.count({ where: { kekVersion: begun.to_version } }), { interval: 2 })
    .toBeGreaterThan(0)
  await stopRotation()
  const left = await db().credential.count({ where: { kekVersion: begun.from_version } })
  expect(left).toBeGreaterThan(0)
  expect((await keyOf(begun.from_version)).retiredAt).toBeNull()
  for (const id of [...kept.keys()].filter((_, n) => n % 50 === 0)) expect(await keyIn(id)).toBe(kept.get(id))
  expect(await rotateVault(admin, origin)).toEqual(begun)
  await resumeRotation()
  expect(await untilRotated()).toBe(begun.to_version)
  expect(await db().credential.count({ where: { kekVersion: begun.to_version } })).toBe(1000)
  for (const id of [...kept.keys()].filter((_, n) => n % 50 === 0)) expect(await keyIn(id)).toBe(kept.get(id))
})

test('no read fails while rotation follows rotation', async () => {
  const kept = [...(await keepMany(ada, 60))]
  let isOver = false
  let reads = 0
  const read = async (turn: number) => {
    for (let n = turn; !isOver; n += 1) {
      const [id, apiKey] = kept[n % kept.length] ?? ['', '']
      expect(await keyIn(id)).toBe(apiKey)
      reads += 1
    }
  }
  const readers = Promise.all([0, 15, 30, 45].map(read))
  try {
    for (let round = 0; round < 5; round += 1) {
      const { to_version } = await rotateVault(admin, origin)
      expect(await untilRotated()).toBe(to_version)
    }
  } finally {
    isOver = true
  }
  await readers
  expect(reads).toBeGreaterThan(60)
})

test('keys come, change and go during rotations; none of them is lost or left under an old key', async () => {
  let isOver = false
  const expected = new Map<string, string>()
  const change = async (name: string) => {
    const someone = await makeActor(name)
    const mine: string[] = []
    for (let n = 0; !isOver; n += 1) {
      const { id } = await keepKey(someone, `sk-test-${name}-${n}`)
      mine.push(id)
      expected.set(id, `sk-test-${name}-${n}`)
      const other = mine[n % mine.length] ?? id
      await updateCredential(someone, other, { credentials: { api_key: `sk-${name}-${n}` } }, origin)
      expected.set(other, `sk-${name}-${n}`)
      const gone = mine.length > 5 ? mine.shift() : undefined
      if (gone) await deleteCredential(someone, gone, origin)
      if (gone) expected.delete(gone)
    }
  }
  const changes = Promise.all(['bea', 'cid', 'dot'].map(change))
  try {
    for (let round = 0; round < 5; round += 1) {
      await rotateVault(admin, origin)
      await untilRotated()
    }
  } finally {
    isOver = true
  }
  await changes
  const version = await untilRotated()
  const rows = await db().credential.findMany()
  expect(rows.map(({ id }) => id).sort()).toEqual([...expected.keys()].sort())
  for (const { id, kekVersion } of rows) {
    expect({ kekVersion, apiKey: await keyIn(id) }).toEqual({ kekVersion: version, apiKey: expected.get(id) })
  }
})

test('a writer who was late and has the old key is waited for, and what it wrote is sealed anew too', async () => {
  const { id } = await keepKey(ada, 'sk-test-late-00')
  const row = await rowOf(id)
  await stopRotation()
  const { from_version, to_version } = await rotateVault(admin, origin)
  const old = kekOf(await getMaster(), await keyOf(from_version))
  await db().$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM vault_keys WHERE version = ${from_version} FOR SHARE`
    await resumeRotation()
    await expect.poll(async () => (await rowOf(id)).kekVersion).toBe(to_version)
    const sealed = sealSecret(old, sealedFor(row), { apiKey: 'sk-test-late-01', baseUrl })
    await tx.credential.update({ where: { id }, data: sealed })
    expect((await keyOf(from_version)).retiredAt).toBeNull()
  })
  expect(await untilRotated()).toBe(to_version)
  expect((await rowOf(id)).kekVersion).toBe(to_version)
  expect(await keyIn(id)).toBe('sk-test-late-01')
})

test('what one changes while the rotation has just read it stays as it was changed', async () => {
  const { id } = await keepKey(ada, 'sk-test-changed-00')
  await stopRotation()
  await rotateVault(admin, origin)
  await db().$transaction(async (tx) => {
    // The rotation reads the row, and then waits here to write it.
    await tx.$queryRaw`SELECT 1 FROM credentials WHERE id = ${id}::uuid FOR UPDATE`
    await resumeRotation()
    await expect.poll(async () => (await waitingForRow()).length).toBe(1)
    const row = await rowOf(id)
    const kek = await holdNewestKek(tx, await getMaster())
    const secret = { apiKey: 'sk-test-changed-01', baseUrl }
    const next = { ...row, version: row.version + 1 }
    const data = { ...sealSecret(kek, sealedFor(next), secret), version: next.version }
    await tx.credential.update({ where: { id }, data })
  })
  await untilRotated()
  expect(await keyIn(id)).toBe('sk-test-changed-01')
})

test('records that do not open stop nothing, are left as they are, and are told', async () => {
  const kept = [...(await keepMany(ada, 120))]
  const damaged = kept.filter((_, n) => n % 40 === 7).map(([id]) => id)
  for (const id of damaged)
    await db().credential.update({ where: { id }, data: { sealed: Buffer.of(1, 2, 3) } })
  const before = await db().credential.findMany({ where: { id: { in: damaged } } })
  const { to_version } = await rotateVault(admin, origin)
  expect(await untilRotated()).toBe(to_version)
  expect(await db().credential.findMany({ where: { id: { in: damaged } } })).toEqual(before)
  expect((await written('vault.rotated'))?.detail).toMatchObject({
    credentials: 117,
    unreadable: 3,
    unreadableIds: damaged,
  })
  for (const [id, apiKey] of kept) {
    if (damaged.includes(id)) await expect(openNow(id)).rejects.toMatchObject({ code: 'provider_auth' })
    else expect(await keyIn(id)).toBe(apiKey)
  }
})

test('a key of the vault that does not open ends nothing: no record counts as damaged for that', async () => {
  await rotateVault(admin, origin)
  await untilRotated()
  const { id } = await keepKey(ada, 'sk-test-damaged-key-01')
  await stopRotation()
  const { from_version, to_version } = await rotateVault(admin, origin)
  const { wrapped } = await keyOf(from_version)
  await db().vaultKey.update({
    where: { version: from_version },
    data: { wrapped: Buffer.from(wrapped ?? []).map((byte, place) => (place === 20 ? byte ^ 1 : byte)) },
  })
  await resumeRotation()
  await new Promise((done) => setTimeout(done, 300))
  expect((await keyOf(from_version)).retiredAt).toBeNull()
  await expect(openNow(id)).rejects.toMatchObject({ code: 'unavailable' })
  await db().vaultKey.update({ where: { version: from_version }, data: { wrapped } })
  expect(await untilRotated()).toBe(to_version)
  expect(await keyIn(id)).toBe('sk-test-damaged-key-01')
})
