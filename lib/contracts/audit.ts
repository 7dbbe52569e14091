import { z } from 'zod'
import { line, pageFields } from './primitives'

/** Text of at most so many characters; what is longer is cut, so that nothing fails for the sake of its record. */
function text(maxLength: number) {
  return z.string().transform((given) => given.slice(0, maxLength))
}

const nothing = z.object({})
const name = text(200)
const whole = z.number().int()
const texts = z.array(text(100)).max(50)
const models = z.array(text(201)).max(100)
const versions = { fromVersion: whole.nullish(), toVersion: whole.nullish() }
const session = z.object({ userAgent: text(400).nullish(), isCurrent: z.boolean().optional() })
const apiKey = z.object({
  name,
  last4: text(4).nullish(),
  scopes: texts.optional(),
  projectId: text(36).nullish(),
  expiresAt: text(40).nullish(),
  budgetUsd: text(40).nullish(),
  budgetPeriod: text(20).optional(),
  allowedModels: models.optional(),
  requestsPerMinute: whole.nullish(),
  modelTokensPerMinute: whole.nullish(),
  fallbackCredentials: z.boolean().optional(),
  fallbackModels: models.optional(),
  cacheSeconds: whole.nullish(),
})
const credential = z.object({
  scope: text(20),
  type: text(40),
  projectId: text(36).nullish(),
  label: text(120).nullish(),
  baseUrl: text(500).nullish(),
  last4: text(4).nullish(),
  version: whole,
  expiresAt: text(40).nullish(),
  /** Which fields were changed, by name. */
  changed: texts.optional(),
})
const price = z.object({
  inputUsd: z.number(),
  cachedInputUsd: z.number().nullable(),
  outputUsd: z.number(),
})
const member = z.object({
  projectId: text(36),
  userId: text(36),
  email: text(254).nullish(),
  role: text(20).optional(),
})

const invitation = z.object({ email: text(254), role: text(20), expiresAt: text(40).optional() })

/**
 * Every deed that is written down, with all that may be said of it. Whatever else a record brings along is left out, so
 * that a row or a body that is passed on whole takes no secret with it.
 */
export const auditDetails = {
  /** By which invitation, if it was by one. */
  'account.register': z.object({ invitationId: text(36).optional() }),
  'account.signin': session,
  /** The name that was typed is not kept: people type passwords there. */
  'account.signin_failed': session,
  'account.password': z.object({ endedSessions: whole.optional() }),
  'session.end': session,
  'user.invite': invitation,
  'user.invite_revoke': invitation,
  'user.update': z.object({
    email: text(254),
    role: text(20).optional(),
    disabled: z.boolean().optional(),
    endedSessions: whole.optional(),
    revokedKeys: whole.optional(),
  }),
  'user.sessions_end': z.object({ email: text(254), endedSessions: whole }),
  'key.create': apiKey,
  /** What holds from then on, and by name what of it is new. */
  'key.update': apiKey.extend({ changed: texts.optional() }),
  'key.revoke': apiKey,
  'credential.create': credential,
  'credential.update': credential,
  'credential.test': credential,
  /** For whom, where the key was asked for by a user's name. */
  'credential.reveal': credential.extend({ username: text(254).nullish() }),
  'credential.delete': credential,
  'vault.rotate': z.object(versions),
  'vault.rotated': z.object({
    ...versions,
    credentials: whole.optional(),
    /** Records that did not open before either, and were left as they are; the first of them by name. */
    unreadable: whole.optional(),
    unreadableIds: texts.optional(),
  }),
  'vault.rewrapped': nothing,
  'project.delete': z.object({
    name,
    agents: whole,
    prompts: whole,
    conversations: whole,
    members: whole,
    credentials: whole.optional(),
    programKeys: whole.optional(),
  }),
  'agent.delete': z.object({ name, projectId: text(36), conversations: whole.optional() }),
  'member.add': member,
  'member.update': member,
  'member.remove': member,
  /** US dollars per million tokens of the model that `name` is; null: what the public list says. */
  'price.update': z.object({ name, price: price.nullable(), before: price.nullable() }),
  /** For whom a link was made that signs in once. */
  'launch.create': z.object({ email: text(254).nullish(), agentId: text(36).nullish() }),
  'launch.use': z.object({ userAgent: text(400).nullish(), agentId: text(36).nullish() }),
  'audit.export': z.object({
    action: text(40).optional(),
    actor: text(254).optional(),
    target: text(200).optional(),
    from: text(40).optional(),
    to: text(40).optional(),
  }),
} as const

export type AuditAction = keyof typeof auditDetails
export type AuditDetail<A extends AuditAction> = z.input<(typeof auditDetails)[A]>

const AuditActionName = z.enum(Object.keys(auditDetails) as [AuditAction, ...AuditAction[]])

/** A day, which begins at midnight UTC, or a moment. */
const Moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'Enter a day such as 2026-11-21, or a time such as 2026-11-21T12:00:00Z.',
  })
  .refine((given) => /^2[01]/.test(given), 'Enter a time between the years 2000 and 2199.')

const filterFields = {
  action: AuditActionName.optional(),
  /** Who did it: the id or the email of an account. */
  actor: line(254).optional(),
  target: line(200).optional(),
  from: Moment.optional(),
  /** A day counts whole; a moment is the first that is left out. */
  to: Moment.optional(),
}

/** Which records are asked for; without any of these, all. */
export const AuditFilter = z.strictObject(filterFields)
export type AuditFilter = z.output<typeof AuditFilter>

export const AuditQuery = z.strictObject({ ...pageFields, ...filterFields })
export type AuditQuery = z.output<typeof AuditQuery>

/** One record as admins see it. Times are ISO 8601 UTC. */
export type AuditEntry = {
  id: string
  at: string
  action: string
  /** Who did it; the email is null when the account is gone. Null: nobody who was known. */
  actor: { id: string; email: string | null } | null
  /** The API key that was used, if any. */
  key_id: string | null
  target: string | null
  /** What the target was called then, or the email of the account that it is. */
  target_name: string | null
  ip: string | null
  request_id: string | null
  detail: Record<string, unknown>
}
