import { requireRoom, sql } from '../db'
import { type Frame, type FrameType, makeStorable, type TerminalType, textOf } from './frame'
import { type Abandoned, type Owner, page, type ReplyLog } from './log'

/** Writers hold this shared while they commit; see the function append_reply_frames. */
const writersLock = 4_711_004

type FrameRow = { seq: number; type: FrameType; body: string; cursor: number | null }

function toFrame({ seq, type, body, cursor }: FrameRow): Frame {
  return cursor === null ? { seq, type, text: body } : { seq, type, text: body, cursor }
}

/** As jsonb can keep it: without the escapes of U+0000 and of half characters, which `JSON.stringify` writes. */
function toJson(value: unknown): string | null {
  if (value === null) return null
  return JSON.stringify(value).replace(/\\(u0000|ud[89a-f]..|.)/g, (sequence, { length }) =>
    length > 1 ? '\ufffd' : sequence,
  )
}

const toText = (value: string | null) => (value === null ? null : makeStorable(value))

const append: ReplyLog['append'] = async (batches) => {
  await requireRoom()
  const rows = batches.flatMap(({ replyId, epoch, frames }) =>
    frames.map((frame) => ({ replyId, epoch, ...frame })),
  )
  const lost = await sql<{ lost: string }>`
    SELECT lost FROM append_reply_frames(
      ${rows.map((row) => row.replyId)}::uuid[], ${rows.map((row) => row.epoch)}::int[],
      ${rows.map((row) => row.seq)}::int[], ${rows.map((row) => row.type)}::text[],
      ${rows.map((row) => row.text)}::text[], ${rows.map((row) => row.cursor ?? null)}::int[])`
  return lost.map((row) => row.lost)
}

const read: ReplyLog['read'] = async (replyId, after) => {
  const rows = await sql<FrameRow>`
    SELECT seq, type, body, cursor FROM (
      SELECT seq, type, body, cursor, sum(length(body)) OVER (ORDER BY seq) - length(body) AS before
      FROM reply_frames WHERE reply_id = ${replyId}::uuid AND seq > ${after}::int ORDER BY seq LIMIT ${page.frames}::int
    ) AS next
    WHERE before < ${page.length}::int ORDER BY seq`
  return rows.map(toFrame)
}

const find: ReplyLog['find'] = async (replyId) => {
  const [reply] = await sql<{ status: string; lastSeq: number | null; text: string | null }>`
    SELECT r.status, r.last_seq AS "lastSeq", CASE WHEN r.status <> 'running' THEN m.text END AS text
    FROM replies r JOIN messages m ON m.id = r.message_id WHERE r.id = ${replyId}::uuid`
  if (!reply) return null
  if (reply.lastSeq === null) return { type: 'running' }
  return { type: reply.status as TerminalType, lastSeq: reply.lastSeq, text: reply.text ?? '' }
}

const findProgress: ReplyLog['findProgress'] = (replyIds) => sql`
  SELECT r.id AS "replyId", coalesce(
    r.last_seq, (SELECT max(f.seq) FROM reply_frames f WHERE f.reply_id = r.id), -1) AS "lastSeq"
  FROM replies r WHERE r.id = ANY(${replyIds}::uuid[])`

const noteUpstream: ReplyLog['noteUpstream'] = async ({ replyId, epoch }, upstream) => {
  await sql`
    UPDATE replies SET upstream = ${toJson(upstream)}::jsonb
    WHERE id = ${replyId}::uuid AND epoch = ${epoch}::int AND status = 'running'`
}

const finish: ReplyLog['finish'] = async ({ replyId, epoch }, seq, ending) => {
  // The conversation is locked first, as by whoever deletes it; the other steps hang on that one.
  const ended = await sql`
    WITH held AS (
      SELECT c.id FROM conversations c JOIN replies r ON r.conversation_id = c.id
      WHERE r.id = ${replyId}::uuid FOR UPDATE OF c
    ), ended AS (
      UPDATE replies r SET status = ${ending.type}, last_seq = ${seq}::int, ended_at = now()
      FROM held
      WHERE r.id = ${replyId}::uuid AND r.conversation_id = held.id
        AND r.epoch = ${epoch}::int AND r.status = 'running'
      RETURNING r.id, r.message_id, r.conversation_id
    ), framed AS (
      INSERT INTO reply_frames (reply_id, seq, type, body) SELECT id, ${seq}::int, ${ending.type}, '' FROM ended
    ), folded AS (
      UPDATE messages m SET status = ${ending.type}, parts = ${toJson(ending.parts)}::jsonb,
        text = ${textOf(ending.parts)}, model = ${toText(ending.model)}, provider = ${toText(ending.provider)},
        finish = ${ending.finish}, usage = ${toJson(ending.usage)}::jsonb, error = ${toJson(ending.error)}::jsonb
      FROM ended WHERE m.id = ended.message_id
    )
    UPDATE conversations c SET last_activity_at = now() FROM ended WHERE c.id = ended.conversation_id
    RETURNING c.id`
  return ended.length > 0
}

const requestStop: ReplyLog['requestStop'] = async (replyId) => {
  await sql`
    UPDATE replies SET stop_requested = true
    WHERE id = ${replyId}::uuid AND status = 'running' AND NOT stop_requested`
}

const renew: ReplyLog['renew'] = ({ nodeId, leaseMs }, replyIds) => sql`
  UPDATE replies SET lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
  WHERE id = ANY(${replyIds}::uuid[]) AND node_id = ${nodeId} AND status = 'running'
  RETURNING id AS "replyId", stop_requested AS "stopRequested"`

const expireLeases: ReplyLog['expireLeases'] = async () => {
  await sql`UPDATE replies SET lease_expires_at = now() - interval '1 second' WHERE status = 'running'`
}

const takeOver: ReplyLog['takeOver'] = async ({ nodeId, leaseMs }, except, limit) => {
  const taken = await sql<Abandoned>`
    UPDATE replies SET epoch = epoch + 1, node_id = ${nodeId},
      lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
    WHERE id IN (
      SELECT id FROM replies
      WHERE status = 'running' AND lease_expires_at < now() AND id <> ALL(${except}::uuid[])
      ORDER BY lease_expires_at LIMIT ${limit}::int FOR UPDATE SKIP LOCKED
    )
    RETURNING id AS "replyId", epoch, user_id AS "userId", message_id AS "messageId",
      conversation_id AS "conversationId", stop_requested AS "stopRequested", upstream`
  if (taken.length > 0) await awaitWriters()
  return taken
}

/** Whoever still commits under an older epoch is waited for; whoever comes later sees the new one. */
async function awaitWriters(): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${writersLock}::bigint)`
}

const reclaim: ReplyLog['reclaim'] = async ({ nodeId, leaseMs }, { replyId, epoch }) => {
  const [owner] = await sql<Owner>`
    UPDATE replies SET epoch = ${epoch}::int + 1, lease_expires_at = now() + ${leaseMs}::int * interval '1 millisecond'
    WHERE id = ${replyId}::uuid AND epoch IN (${epoch}::int, ${epoch}::int + 1) AND node_id = ${nodeId}
      AND status = 'running'
    RETURNING id AS "replyId", epoch`
  if (!owner) return null
  await awaitWriters()
  return owner
}

const release: ReplyLog['release'] = async ({ replyId, epoch }) => {
  // Nobody's, so that a renewal that is late does not hold it.
  await sql`
    UPDATE replies SET node_id = '', lease_expires_at = now() - interval '1 second'
    WHERE id = ${replyId}::uuid AND epoch = ${epoch}::int AND status = 'running'`
}

const sweep: ReplyLog['sweep'] = async (keepMs) => {
  await sql`
    DELETE FROM reply_frames WHERE reply_id IN (
      SELECT DISTINCT f.reply_id FROM reply_frames f
      LEFT JOIN replies r ON r.id = f.reply_id
      WHERE r.id IS NULL OR r.ended_at < now() - ${keepMs}::int * interval '1 millisecond'
      LIMIT 1000
    )`
}

/** The log in the tables `replies` and `reply_frames`. */
export const postgresLog: ReplyLog = {
  append,
  read,
  find,
  findProgress,
  noteUpstream,
  finish,
  requestStop,
  renew,
  expireLeases,
  takeOver,
  reclaim,
  release,
  sweep,
}
