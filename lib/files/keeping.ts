import type { Actor } from '../auth'
import { UploadFields } from '../contracts/files'
import type { ModelProvider } from '../contracts/projects'
import { db, type Transaction } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { parseInput } from '../http'
import { getAgent, getProject } from '../projects'
import { remember } from '../remember'
import type { CredentialQuery } from '../vault'
import { removeContent } from './folder'
import type { TakenFile } from './intake'
import { type FileRow, withCopies } from './records'

/** Uploads of one user at a time: each holds room on the disk that the quota does not know of yet. */
const maxUploads = 6

const seats = () => remember('files.uploads', () => new Map<string, number>())

/** Counts an upload until the returned function is called. Throws too_many_requests. */
export function takeSeat({ userId }: Actor): () => void {
  const taken = seats().get(userId) ?? 0
  if (taken >= maxUploads) {
    const message = `You are uploading ${maxUploads} files already. Wait until one of them is here.`
    throw new AppError('too_many_requests', message, { retryAfterSeconds: 2 })
  }
  seats().set(userId, taken + 1)
  return () => {
    const left = (seats().get(userId) ?? 1) - 1
    if (left > 0) seats().set(userId, left)
    else seats().delete(userId)
  }
}

/** Throws storage_full where the user's files would take more than each may keep. */
export async function requireQuota(
  { userId }: Actor,
  moreBytes: number,
  tx: Transaction | null = null,
): Promise<void> {
  const quotaBytes = env().FILE_QUOTA_MB * 1024 * 1024
  const { _sum } = await (tx ?? db()).file.aggregate({ where: { userId }, _sum: { bytes: true } })
  if ((_sum.bytes ?? 0) + moreBytes <= quotaBytes) return
  const message = `Your files would take more than the ${env().FILE_QUOTA_MB} MB that each person may keep here. Delete some, then try again.`
  throw new AppError('storage_full', message, {
    facts: { quota_bytes: quotaBytes, used_bytes: _sum.bytes ?? 0 },
  })
}

/** A file with its row, and for which calls it is there. */
export type KeptFile = { row: FileRow; want: CredentialQuery }

/** The row of a file that is on the disk; on any fault the content goes, too. Throws not_found, forbidden, storage_full, invalid_input. */
export async function keepFile(
  actor: Actor,
  fields: Record<string, string>,
  taken: TakenFile,
): Promise<KeptFile> {
  try {
    const { purpose, ...about } = parseInput(UploadFields, fields)
    const { provider, ...home } = await findHome(actor, about)
    const row = await db().$transaction(async (tx) => {
      // One after the other for each user, so that they cannot pass the quota side by side.
      await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${actor.userId}::uuid FOR NO KEY UPDATE`
      await requireQuota(actor, taken.bytes, tx)
      const data = { ...taken, ...home, purpose, userId: actor.userId }
      return tx.file.create({ data, include: withCopies })
    })
    return { row, want: { projectId: home.projectId, provider } }
  } catch (error) {
    await removeContent(taken.id)
    throw error
  }
}

type Home = { projectId: string | null; shared: boolean; provider: ModelProvider }

/**
 * Where a file belongs. `project_id` shares it with the project, which takes an editor; `agent_id` alone says only what
 * it is for, and it stays private, as conversations are.
 */
async function findHome(actor: Actor, about: Pick<UploadFields, 'agent_id' | 'project_id'>): Promise<Home> {
  const { agent_id: agentId, project_id: projectId } = about
  const agent = agentId ? await getAgent(actor, agentId) : null
  const provider = agent?.model_provider ?? 'auto'
  if (!projectId) return { projectId: agent?.project_id ?? actor.boundTo, shared: false, provider }
  if (agent && agent.project_id !== projectId) {
    const message = 'This agent is not in that project.'
    throw new AppError('invalid_input', `agent_id: ${message}`, { issues: [{ path: 'agent_id', message }] })
  }
  const { role } = await getProject(actor, projectId)
  if (role === 'viewer') throw new AppError('forbidden', 'Sharing a file with a project takes an editor.')
  return { projectId, shared: true, provider }
}
