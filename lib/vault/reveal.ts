import type { Actor, Origin } from '../auth'
import { CredentialType, type FindCredentials, type RevealedCredential } from '../contracts/credentials'
import { db, type Prisma, type Transaction } from '../db'
import { AppError } from '../errors'
import { recordDeed } from './deeds'
import { getMaster, type Master } from './key'
import { noteUse } from './lending'
import { openRow } from './opening'
import { type CredentialRow, toCredentialRecord, withOwner } from './records'

type Wanted = { where: Prisma.CredentialWhereInput; username?: string }

/**
 * The newest key of a user, or of a project, for a program whose API key may read keys; everyone's keys are not looked
 * at. It is written down before it is told. Throws invalid_input, forbidden, not_found, provider_auth.
 */
export async function revealCredential(
  actor: Actor,
  { username, credentialType: type, projectId }: FindCredentials,
  origin: Origin,
): Promise<RevealedCredential> {
  requireReader(actor)
  if (!type) throw missing('credentialType', 'Say which kind of key: openai, openai-compatible or anthropic.')
  if (!username && !projectId) throw missing('username', 'Say whose key: a username, a projectId, or both.')
  const user = username ? { email: username.toLowerCase(), disabledAt: null } : undefined
  const where: Prisma.CredentialWhereInput = projectId
    ? { type, scope: 'project', projectId, project: user && { members: { some: { user } } } }
    : { type, scope: 'user', user }
  return reveal(actor, { where, username }, origin)
}

/** The newest key for everyone of this kind, in the same way. Throws invalid_input, forbidden, not_found, provider_auth. */
export async function revealGlobalCredential(
  actor: Actor,
  type: string,
  origin: Origin,
): Promise<RevealedCredential> {
  requireReader(actor)
  const known = CredentialType.safeParse(type)
  if (!known.success)
    throw missing('type', 'There are keys of these kinds: openai, openai-compatible, anthropic.')
  return reveal(actor, { where: { type: known.data, scope: 'global' } }, origin)
}

function missing(path: string, message: string): AppError {
  return new AppError('invalid_input', `${path}: ${message}`, { issues: [{ path, message }] })
}

/** However the route asks who is calling: a session never reads a key, nor does a key whose owner is an admin no more. */
function requireReader({ role, keyId, scopes }: Actor): void {
  if (role === 'admin' && keyId !== null && scopes?.includes('credentials:read')) return
  throw new AppError(
    'forbidden',
    'Reading keys takes an API key of an admin, with the scope credentials:read.',
  )
}

async function reveal(actor: Actor, wanted: Wanted, origin: Origin): Promise<RevealedCredential> {
  const master = await getMaster()
  // What comes out of here is committed: the row of the audit is there for good before anybody hears of the key.
  const { row, apiKey } = await db().$transaction(async (tx) => {
    const row = await holdWanted(tx, actor, wanted.where)
    const { apiKey } = await openHeld(tx, master, row)
    const { username } = wanted
    await recordDeed(tx, { actor, origin, action: 'credential.reveal', row, username })
    return { row, apiKey }
  })
  noteUse(row.id)
  const { id, credentialType, projectId, scope, baseUrl } = toCredentialRecord(row)
  const isElsewhere = new URL(baseUrl).origin !== ownOrigins[credentialType]
  const told = { id, credentialType, projectId, scope, ...(isElsewhere && { baseUrl }) }
  return { success: true, credentials: { ...told, credentials: { api_key: apiKey } } }
}

/** Where a program sends a key of this kind that is told nothing else; whatever `OPENAI_BASE_URL` says here, it says not there. */
const ownOrigins: Partial<Record<CredentialType, string>> = {
  openai: 'https://api.openai.com',
  anthropic: 'https://api.anthropic.com',
}

/** The newest that fits, which nobody changes, moves or deletes until the transaction ends. Throws not_found. */
async function holdWanted(
  tx: Transaction,
  { boundTo }: Actor,
  where: Prisma.CredentialWhereInput,
): Promise<CredentialRow> {
  const isLive = { OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] }
  const isInReach = boundTo === null ? {} : { scope: 'project', projectId: boundTo }
  const all = { AND: [where, isLive, isInReach] }
  const seen = await tx.credential.findFirst({
    where: all,
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: { id: true },
  })
  if (!seen) throw notThere()
  await tx.$queryRaw`SELECT 1 FROM credentials WHERE id = ${seen.id}::uuid FOR SHARE`
  const row = await tx.credential.findFirst({ where: { ...all, id: seen.id }, include: withOwner })
  if (!row) throw notThere()
  return row
}

async function openHeld(tx: Transaction, master: Master, row: CredentialRow) {
  // No rotation retires this key while the row is held: what lies under it would have to be moved first.
  return openRow(master, row, await tx.vaultKey.findUnique({ where: { version: row.kekVersion } }))
}

/** One answer, whether there is no such user or project, or only no such key. */
function notThere(): AppError {
  return new AppError('not_found', 'There is no such key in the vault.')
}
