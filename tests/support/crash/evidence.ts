import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { queryOnce } from '../embedded'
import type { Stored } from './check'

/** What the embedded database of a running server holds of these replies. */
export function readStored(dataDir: string, replyIds: string[]): Promise<Stored[]> {
  return queryOnce<Stored>(
    urlOfEmbedded(dataDir),
    `SELECT r.id AS "replyId", r.status, r.last_seq AS "lastSeq",
      (SELECT count(*)::int FROM reply_frames f WHERE f.reply_id = r.id) AS frames,
      (SELECT count(*)::int FROM usage_entries u WHERE u.reply_id = r.id) AS usage,
      (SELECT count(*)::int FROM messages m WHERE m.id = r.request_id) AS questions,
      (SELECT count(*)::int FROM messages m WHERE m.parent_id = r.request_id) AS answers
    FROM replies r WHERE r.id = ANY($1::uuid[])`,
    [replyIds],
  )
}

/** Where the embedded database of a data folder answers, for this user. */
export function urlOfEmbedded(dataDir: string): string {
  const cluster = join(dataDir, 'postgres/cluster')
  const password = readFileSync(join(cluster, 'al-chat.password'), 'utf8')
  return `postgresql://al_chat:${password}@localhost/al_chat?host=${encodeURIComponent(cluster)}`
}
