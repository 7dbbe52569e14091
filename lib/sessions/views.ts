import type { Actor } from '../auth'
import type {
  ChatSessionRecord,
  ChatSessionView,
  JsonObject,
  ListChatSessions,
  SpokenConversation,
} from '../contracts/sessions'
import { db, type Prisma } from '../db'
import { AppError } from '../errors'
import { type PageRequest, readCursor, toListing, writeCursor } from '../paging'
import { readSessionName, sessionName } from './clock'
import { countAnswers } from './counts'

/** Sessions that the actor may see: own ones; an admin's are all; a key of one project sees those that it began. */
function visibleTo({ userId, role, boundTo, keyId }: Actor): Prisma.ChatSessionWhereInput {
  return {
    status: { not: 'opening' },
    ...(role !== 'admin' && { userId }),
    ...(boundTo !== null && { userId, keyId }),
  }
}

const withUser = { user: { select: { id: true, email: true, name: true } } } as const
type Row = Prisma.ChatSessionGetPayload<{ include: typeof withUser }>

/** Sessions that the actor may see, newest first. Throws invalid_input for a cursor that is none of ours. */
export async function listChatSessions(
  actor: Actor,
  { user, day, limit, cursor }: Omit<ListChatSessions, keyof PageRequest> & PageRequest,
) {
  const rows = await db().chatSession.findMany({
    where: {
      AND: [
        visibleTo(actor),
        startedBefore(cursor),
        user === undefined ? {} : { userId: user },
        day === undefined ? {} : { day },
      ],
    },
    include: withUser,
    orderBy: [{ startedAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  })
  return toListing(rows, limit, {
    record: toRecord,
    cursor: ({ startedAt, id }) => writeCursor({ at: startedAt, id }),
  })
}

function startedBefore(cursor: string | undefined): Prisma.ChatSessionWhereInput {
  const place = readCursor(cursor)
  if (!place) return {}
  const { at, id } = place
  return { OR: [{ startedAt: { lt: at } }, { startedAt: at, id: { lt: id } }] }
}

/** One session with its metrics, and the conversations spoken in while it was open. Throws not_found. */
export async function getChatSession(actor: Actor, name: string): Promise<ChatSessionView> {
  const row = await getRow(actor, name)
  const window = { userId: row.userId, from: row.startedAt, to: row.stoppedAt ?? new Date() }
  const counted = row.counted === null ? await countAnswers(window) : asObject(row.counted)
  const said = asObject(row.metrics)
  const [conversations, count] = await Promise.all([
    row.userId === actor.userId ? listSpoken(window) : [],
    db().conversation.count({ where: spokenIn(window) }),
  ])
  return {
    ...toRecord(row),
    metrics: row.finalMetrics === null ? { ...counted, ...said } : asObject(row.finalMetrics),
    metadata: asObject(row.metadata),
    counted,
    said,
    conversation_count: count,
    conversations,
  }
}

const linesAtOnce = 500

/** The lines of one session as they stand in the log, in pieces. Throws not_found. */
export async function readSessionLines(actor: Actor, name: string): Promise<AsyncGenerator<string>> {
  const { id } = await getRow(actor, name)
  return readLines(id)
}

async function* readLines(sessionId: string): AsyncGenerator<string> {
  for (let after = new Date(0); ; ) {
    const lines = await db().chatSessionLine.findMany({
      where: { sessionId, written: true, at: { gt: after } },
      orderBy: { at: 'asc' },
      take: linesAtOnce,
      select: { at: true, line: true },
    })
    if (lines.length > 0) yield lines.map(({ line }) => `${line}\n`).join('')
    after = lines.at(-1)?.at ?? after
    if (lines.length < linesAtOnce) return
  }
}

/** People who have sessions, for an admin to choose from; those with the latest ones. */
export async function listSessionUsers(): Promise<{ id: string; email: string; name: string | null }[]> {
  return db().user.findMany({
    where: { chatSessions: { some: {} } },
    orderBy: { email: 'asc' },
    take: 500,
    select: withUser.user.select,
  })
}

async function getRow(actor: Actor, name: string): Promise<Row> {
  const place = readSessionName(name)
  const row = place
    ? await db().chatSession.findFirst({ where: { AND: [visibleTo(actor), place] }, include: withUser })
    : null
  if (!row) throw new AppError('not_found', 'This session is not there, or not yours.')
  return row
}

type Window = { userId: string; from: Date; to: Date }

function spokenIn({ userId, from, to }: Window): Prisma.ConversationWhereInput {
  return { userId, messages: { some: { role: 'user', createdAt: { gte: from, lte: to } } } }
}

/** Own conversations, with agents of projects that their user still belongs to. */
async function listSpoken(window: Window): Promise<SpokenConversation[]> {
  const { userId } = window
  const rows = await db().conversation.findMany({
    where: { ...spokenIn(window), agent: { project: { members: { some: { userId } } } } },
    orderBy: { lastActivityAt: 'desc' },
    take: 100,
    select: { id: true, title: true, agent: { select: { id: true, name: true } } },
  })
  return rows.map(({ id, title, agent }) => ({ id, title, agent_id: agent.id, agent_name: agent.name }))
}

function toRecord(row: Row): ChatSessionRecord {
  const isStopped = row.status === 'stopped'
  return {
    session_id: sessionName(row),
    user: row.user,
    username: row.username,
    status: isStopped ? 'stopped' : 'open',
    ended_by: isStopped ? (row.endedBy === 'silence' ? 'silence' : 'client') : null,
    day: row.day,
    started_at: row.startedAt.toISOString(),
    stopped_at: isStopped ? (row.stoppedAt?.toISOString() ?? null) : null,
    duration_seconds: isStopped ? row.durationSeconds : null,
    metrics: asObject(isStopped ? row.finalMetrics : row.metrics),
  }
}

function asObject(value: Prisma.JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}
