import { chmodSync, chownSync, lchownSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@/lib/errors'

/** Who runs Postgres. `ids` is set only where the server is root, whom Postgres refuses to serve. */
export type Account = { ids: { uid: number; gid: number } | undefined }

/**
 * The account for a cluster: this user; as root, whoever owns the cluster already, else `nobody`.
 * Throws unavailable when the cluster belongs to someone whom this user cannot act for.
 */
export function chooseAccount(clusterDir: string): Account {
  const owner = ownerOf(clusterDir)
  const me = process.getuid?.()
  if (me === 0) {
    if (process.platform !== 'linux')
      throw new AppError(
        'unavailable',
        'The built-in database refuses root here: start AL-Chat as an ordinary user.',
      )
    return { ids: owner && owner.uid !== 0 ? owner : nobody() }
  }
  if (owner && me !== undefined && owner.uid !== me)
    throw new AppError(
      'unavailable',
      `The database in ${clusterDir} belongs to another user (uid ${owner.uid}): start AL-Chat as that user, or change the owner with chown -R.`,
    )
  return { ids: undefined }
}

/** Gives a folder, with all that is in it, to the account; nothing to do unless the server is root. */
export function giveAway(folder: string, account: Account): void {
  if (!account.ids) return
  const { uid, gid } = account.ids
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) giveAway(path, account)
    else lchownSync(path, uid, gid)
  }
  chownSync(folder, uid, gid)
}

/** Makes the cluster fit for Postgres, which wants to own it alone: a copy from a backup often lost both. */
export function claimCluster(clusterDir: string, account: Account): void {
  if (account.ids && ownerOf(clusterDir)?.uid !== account.ids.uid) giveAway(clusterDir, account)
  chmodSync(clusterDir, 0o700)
}

function ownerOf(path: string): { uid: number; gid: number } | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat && { uid: stat.uid, gid: stat.gid }
}

// initdb looks its user up in the password file; `nobody` is in it everywhere.
function nobody(): { uid: number; gid: number } {
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('nobody:'))
    ?.split(':')
  return { uid: Number(fields?.[2] ?? 65534), gid: Number(fields?.[3] ?? 65534) }
}
