import type { VaultKeyState } from '../contracts/credentials'
import { db } from '../db'

/** The newest key of the vault, and how much still lies under an older one. */
export async function readKeyState(): Promise<VaultKeyState> {
  const [newest, ...older] = await db().vaultKey.findMany({
    where: { retiredAt: null },
    orderBy: { version: 'desc' },
    select: { version: true, createdAt: true },
  })
  if (!newest) throw new Error('the vault has no key')
  const last = older.at(-1)
  return {
    version: newest.version,
    since: newest.createdAt.toISOString(),
    from_version: last?.version ?? null,
    remaining: last ? await db().credential.count({ where: { kekVersion: { lt: newest.version } } }) : 0,
  }
}
