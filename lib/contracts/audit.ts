import { z } from 'zod'

/** Text of at most so many characters; what is longer is cut, so that nothing fails for the sake of its record. */
function text(maxLength: number) {
  return z.string().transform((given) => given.slice(0, maxLength))
}

const nothing = z.object({})
const name = text(200)
const whole = z.number().int()
const texts = z.array(text(100)).max(50)
const versions = { fromVersion: whole.nullish(), toVersion: whole.nullish() }
const session = z.object({ userAgent: text(400).nullish(), isCurrent: z.boolean().optional() })
const apiKey = z.object({
  name,
  last4: text(4).nullish(),
  scopes: texts.optional(),
  projectId: text(36).nullish(),
  expiresAt: text(40).nullish(),
  budgetUsd: text(40).nullish(),
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
const member = z.object({
  projectId: text(36),
  userId: text(36),
  email: text(254).nullish(),
  role: text(20).optional(),
})

/**
 * Every deed that is written down, with all that may be said of it. Whatever else a record brings along is left out, so
 * that a row or a body that is passed on whole takes no secret with it.
 */
export const auditDetails = {
  'account.register': nothing,
  'account.signin': session,
  /** The name that was typed is not kept: people type passwords there. */
  'account.signin_failed': session,
  'account.password': z.object({ endedSessions: whole.optional() }),
  'session.end': session,
  'key.create': apiKey,
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
  }),
  'agent.delete': z.object({ name, projectId: text(36), conversations: whole.optional() }),
  'member.add': member,
  'member.update': member,
  'member.remove': member,
  'audit.export': z.object({
    action: text(40).optional(),
    actor: text(36).optional(),
    target: text(200).optional(),
    from: text(40).optional(),
    to: text(40).optional(),
  }),
} as const

export type AuditAction = keyof typeof auditDetails
export type AuditDetail<A extends AuditAction> = z.input<(typeof auditDetails)[A]>
