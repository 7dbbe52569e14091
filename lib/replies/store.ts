import { db, type JsonInput } from '../db'
import { type Ending, type Frame, type FrameType, textOf } from './frame'

/** Whose frames these are; the epoch says that the writer still owns the reply. */
export type Batch = { replyId: string; epoch: number; frames: Frame[] }

/**
 * Commits frames of many replies in one statement, those of a lost reply left out. Returns the ids of the lost.
 * A frame that is there already is left as it is: the commit before may have succeeded with its answer lost.
 */
export async function insertFrames(batches: Batch[]): Promise<string[]> {
  const rows = batches.flatMap(({ replyId, epoch, frames }) =>
    frames.map((frame) => ({ replyId, epoch, ...frame })),
  )
  const inserted = await db().$executeRaw`
    INSERT INTO reply_frames (reply_id, seq, type, body)
    SELECT f.reply_id, f.seq, f.type, f.body
    FROM unnest(
      ${rows.map((row) => row.replyId)}::uuid[],
      ${rows.map((row) => row.epoch)}::int[],
      ${rows.map((row) => row.seq)}::int[],
      ${rows.map((row) => row.type)}::text[],
      ${rows.map((row) => row.text)}::text[]
    ) AS f(reply_id, epoch, seq, type, body)
    JOIN replies r ON r.id = f.reply_id AND r.epoch = f.epoch AND r.status = 'running'
    ON CONFLICT (reply_id, seq) DO NOTHING`
  return inserted === rows.length ? [] : findLost(batches)
}

async function findLost(batches: Batch[]): Promise<string[]> {
  const owned = await db().reply.findMany({
    where: { OR: batches.map(({ replyId, epoch }) => ({ id: replyId, epoch, status: 'running' })) },
    select: { id: true },
  })
  const ownedIds = new Set(owned.map(({ id }) => id))
  return batches.map(({ replyId }) => replyId).filter((id) => !ownedIds.has(id))
}

/** Committed frames after `after`, in order, at most `limit`. */
export async function readFrames(replyId: string, after: number, limit: number): Promise<Frame[]> {
  const rows = await db().replyFrame.findMany({
    where: { replyId, seq: { gt: after } },
    orderBy: { seq: 'asc' },
    take: limit,
  })
  return rows.map(({ seq, type, body }) => ({ seq, type: type as FrameType, text: body }))
}

/** Where a reply stands. Null if it is gone. */
export async function readReply(replyId: string) {
  return db().reply.findUnique({
    where: { id: replyId },
    select: { status: true, lastSeq: true, messageId: true, message: { select: { text: true } } },
  })
}

/**
 * Writes the terminal frame and folds the reply into its message, in one transaction.
 * Returns false if the reply is not this writer's any more; then nothing was changed.
 */
export async function finishReply(
  reply: { replyId: string; epoch: number; seq: number },
  ending: Ending,
): Promise<boolean> {
  return db().$transaction(async (tx) => {
    // The conversation first, as whoever deletes it does.
    await tx.$queryRaw`
      SELECT 1 FROM conversations
      WHERE id = (SELECT conversation_id FROM replies WHERE id = ${reply.replyId}::uuid) FOR UPDATE`
    const ended = await tx.reply.updateMany({
      where: { id: reply.replyId, epoch: reply.epoch, status: 'running' },
      data: { status: ending.type, lastSeq: reply.seq, endedAt: new Date() },
    })
    if (ended.count === 0) return false
    await tx.replyFrame.create({
      data: { replyId: reply.replyId, seq: reply.seq, type: ending.type, body: '' },
    })
    const { messageId, conversationId } = await tx.reply.findUniqueOrThrow({ where: { id: reply.replyId } })
    await tx.message.update({
      where: { id: messageId },
      data: {
        status: ending.type,
        parts: ending.parts as JsonInput,
        text: textOf(ending.parts),
        model: ending.model,
        provider: ending.provider,
        finish: ending.finish,
        ...(ending.usage && { usage: ending.usage }),
        ...(ending.error && { error: ending.error as JsonInput }),
      },
    })
    await tx.conversation.updateMany({ where: { id: conversationId }, data: { lastActivityAt: new Date() } })
    return true
  })
}

type Lease = { nodeId: string; leaseMs: number; runningIds: string[] }

/** Extends the leases of the replies that run on this node. Returns the ids of those that are not its any more. */
export async function renewLeases({ nodeId, leaseMs, runningIds }: Lease): Promise<string[]> {
  if (runningIds.length === 0) return []
  const renewed = await db().$queryRaw<{ id: string }[]>`
    UPDATE replies SET lease_expires_at = now() + ${leaseMs} * interval '1 millisecond'
    WHERE id = ANY(${runningIds}::uuid[]) AND node_id = ${nodeId}
    RETURNING id`
  const ours = new Set(renewed.map(({ id }) => id))
  return runningIds.filter((id) => !ours.has(id))
}

/**
 * Takes over at most `limit` replies whose writer is gone: each gets a new epoch and this node as its owner.
 */
export async function takeOverExpired(lease: Lease, limit: number): Promise<{ id: string; epoch: number }[]> {
  return db().$queryRaw<{ id: string; epoch: number }[]>`
    UPDATE replies SET epoch = epoch + 1, node_id = ${lease.nodeId},
      lease_expires_at = now() + ${lease.leaseMs} * interval '1 millisecond'
    WHERE id IN (
      SELECT id FROM replies
      WHERE status = 'running' AND lease_expires_at < now() AND id <> ALL(${lease.runningIds}::uuid[])
      ORDER BY lease_expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    RETURNING id, epoch`
}

/** Deletes the frames of replies that ended a while ago, whose text is in the messages, or that are gone. */
export async function deleteFoldedFrames(keepMs: number): Promise<void> {
  await db().$executeRaw`
    DELETE FROM reply_frames WHERE reply_id IN (
      SELECT DISTINCT f.reply_id FROM reply_frames f
      LEFT JOIN replies r ON r.id = f.reply_id
      WHERE r.id IS NULL OR r.ended_at < now() - ${keepMs} * interval '1 millisecond'
      LIMIT 1000
    )`
}
