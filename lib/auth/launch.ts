import { createHash, randomBytes } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { recordAudit } from '../audit'
import type { SignedIn } from '../contracts/accounts'
import type { CreateLaunch, Launch } from '../contracts/launch'
import { db, type Transaction } from '../db'
import { env } from '../env'
import { AppError } from '../errors'
import { isHttps, requestHost } from '../http'
import { serviceEmail } from './access-hash'
import type { Actor, Origin } from './actor'
import { recordFailedSignIn } from './failures'
import { beginGuess } from './limits'
import { endSession, findSessionActor, openSession } from './sessions'
import { readCarried } from './token-source'

const ticketLastsMs = 60_000
/** So many links of one key may be open at a time. */
const maxOpen = 1000

type Call = { headers: Headers }

/**
 * A link that signs a user in once, within a minute, and opens the chat, with an agent if one is named.
 * Throws not_found for who has no account or an agent that the user may not see, invalid_input without a usable host,
 * forbidden for keys that are bound to a project, too_many_requests.
 */
export async function createLaunch(
  actor: Actor,
  { username, agent_id: agentId = null }: CreateLaunch,
  call: Call,
  origin: Origin,
): Promise<Launch> {
  const { keyId } = actor
  if (actor.boundTo !== null || keyId === null)
    throw new AppError('forbidden', 'A key that is bound to a project cannot sign anybody in.')
  const base = readBase(call)
  const user = await getLaunchable(username)
  if (agentId !== null) await requireAgent(user.id, agentId)
  await requireFew(keyId)
  const ticket = randomBytes(32).toString('base64url')
  const expiresAt = new Date(Date.now() + ticketLastsMs)
  await db().$transaction(async (tx) => {
    const row = { id: newId(), hash: hashTicket(ticket), userId: user.id, agentId, keyId, host: base.host }
    await tx.launchTicket.create({ data: { ...row, expiresAt } })
    const { ip, requestId } = origin
    const deed = { action: 'launch.create', target: user.id, detail: { email: username, agentId } } as const
    await recordAudit({ actorId: actor.userId, keyId, ...deed, ip, requestId }, tx)
  })
  return { url: `${base.origin}/launch?ticket=${ticket}`, expires_at: expiresAt.toISOString() }
}

/** Where browsers find this server: `APP_URL`, else where the caller found it. */
function readBase(call: Call): URL {
  const { APP_URL } = env()
  const base = APP_URL ? new URL(APP_URL) : askedFor(call)
  if (!base) throw new AppError('invalid_input', 'The request names no host that a link could lead to.')
  return base
}

/** What was asked for, as a URL, which leaves a usual port out; null if that is none. */
function askedFor(call: Call): URL | null {
  const url = `${isHttps(call) ? 'https' : 'http'}://${requestHost(call) ?? ''}`
  return URL.canParse(url) ? new URL(url) : null
}

async function getLaunchable(email: string): Promise<{ id: string }> {
  // What the database cannot look for is nobody's.
  const isStorable = !email.includes('\u0000') && email.isWellFormed() && email !== serviceEmail
  const where = { email, disabledAt: null }
  const user = isStorable ? await db().user.findFirst({ where, select: { id: true } }) : null
  if (!user) throw new AppError('not_found', 'There is no account of this user.')
  return user
}

async function requireAgent(userId: string, agentId: string): Promise<void> {
  const where = { id: agentId, project: { members: { some: { userId } } } }
  if (await db().agent.findFirst({ where, select: { id: true } })) return
  throw new AppError('not_found', 'There is no such agent, or it is not shared with this user.')
}

/** Tickets that have run out go; what is left of this key's is counted. */
async function requireFew(keyId: string): Promise<void> {
  await db().launchTicket.deleteMany({ where: { expiresAt: { lt: new Date() } } })
  if ((await db().launchTicket.count({ where: { keyId } })) < maxOpen) return
  const said = `${maxOpen} links of this key have not been used yet. Wait a minute.`
  throw new AppError('too_many_requests', said, { retryAfterSeconds: ticketLastsMs / 1000 })
}

function hashTicket(ticket: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(ticket).digest())
}

/** Who came in by a ticket, and where the chat opens: a path of this site. */
type Entered = SignedIn & { path: string }

/**
 * Signs in whoever the ticket is for, once; whoever was signed in in this browser is signed out.
 * Throws unauthenticated for a ticket that was used, has run out, is for another host or none at all.
 */
export async function enterByTicket(ticket: string, call: Call, origin: Origin): Promise<Entered> {
  const attempt = await beginGuess('launch', origin.ip)
  let path = '/chat'
  try {
    const host = askedFor(call)?.host ?? ''
    const signedIn = await openSession(origin, {
      admit: async (tx, sessionId) => {
        const { agentId, ...user } = await takeTicket(tx, ticket, host)
        if (agentId !== null) path = `/chat/${agentId}`
        const { ip, requestId, userAgent } = origin
        const deed = { action: 'launch.use', target: sessionId, detail: { userAgent, agentId } } as const
        await recordAudit({ actorId: user.id, ...deed, ip, requestId }, tx)
        const role = user.role === 'admin' ? 'admin' : 'member'
        return { id: user.id, email: user.email, username: user.email, name: user.name, role }
      },
    })
    await endFormerSession(call, origin)
    return { ...signedIn, path }
  } catch (error) {
    if (error instanceof AppError && error.code === 'unauthenticated') {
      await attempt.failed()
      await recordFailedSignIn(null, origin)
    }
    throw error
  }
}

type Taken = { id: string; email: string; name: string | null; role: string; agentId: string | null }

/** One statement decides who of several gets it; a ticket of a key that was revoked meanwhile is worth nothing. */
async function takeTicket(tx: Transaction, ticket: string, host: string): Promise<Taken> {
  const [taken] = await tx.$queryRaw<Taken[]>`
    DELETE FROM launch_tickets t USING users u, api_keys k
    WHERE t.hash = ${hashTicket(ticket)} AND t.host = ${host} AND t.expires_at > now()
      AND u.id = t.user_id AND u.disabled_at IS NULL AND k.id = t.key_id AND k.revoked_at IS NULL
    RETURNING u.id, u.email, u.name, u.role, t.agent_id AS "agentId"`
  if (!taken) throw badTicket()
  return taken
}

function badTicket(): AppError {
  return new AppError('unauthenticated', 'This link was used already, or has run out.')
}

async function endFormerSession(call: Call, origin: Origin): Promise<void> {
  const carried = readCarried(call)
  const former = carried.kind === 'session' ? await findSessionActor(carried.token) : null
  if (!former || former.scopes !== null) return
  // Another request may have ended it first.
  await endSession(former, former.sessionId, origin).catch(() => undefined)
}

const previewers = /(?<!cu)bot\b|crawl|spider|preview|facebookexternalhit|whatsapp|embedly|iframely/i

/**
 * Whether a request only looks at a link and does not go there: to be ready for a click, or to show what is behind it.
 * Whoever is taken for that by mistake has a button to press.
 */
export function isPassingBy({ method, headers }: { method: string; headers: Headers }): boolean {
  if (method === 'HEAD') return true
  const said = ['purpose', 'sec-purpose', 'x-purpose', 'x-moz'].map((name) => headers.get(name) ?? '')
  if (/prefetch|prerender|preview/i.test(said.join(' ')) || headers.has('next-router-prefetch')) return true
  const goes = headers.get('sec-fetch-dest')
  if (goes !== null && goes !== 'document' && goes !== 'empty') return true
  return previewers.test(headers.get('user-agent') ?? '')
}
