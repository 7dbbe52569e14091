import type { AuditAction, AuditEntry } from '@/lib/contracts/audit'

/** Each deed in words, in the order in which one looks for it. */
export const actionWords: Record<AuditAction, string> = {
  'credential.create': 'Added a provider key',
  'credential.update': 'Changed a provider key',
  'credential.test': 'Tested a provider key',
  'credential.reveal': 'Read a provider key',
  'credential.delete': 'Deleted a provider key',
  'vault.rotate': 'Began to rotate the vault',
  'vault.rotated': 'Finished rotating the vault',
  'vault.rewrapped': 'Gave the vault another key',
  'key.create': 'Made an API key',
  'key.update': 'Changed an API key',
  'key.revoke': 'Revoked an API key',
  'account.register': 'Made an account',
  'account.signin': 'Signed in',
  'account.signin_failed': 'Failed to sign in',
  'account.password': 'Changed the password',
  'session.end': 'Signed out',
  'user.invite': 'Invited someone',
  'user.invite_revoke': 'Revoked an invitation',
  'user.update': 'Changed an account',
  'user.sessions_end': 'Signed someone out everywhere',
  'launch.create': 'Made a link that signs in',
  'launch.use': 'Signed in by a link',
  'member.add': 'Added a member',
  'member.update': 'Changed a member’s role',
  'member.remove': 'Removed a member',
  'agent.delete': 'Deleted an agent',
  'project.delete': 'Deleted a project',
  'price.update': 'Changed the price of a model',
  'audit.export': 'Exported the audit',
}

const isKnown = (action: string): action is AuditAction => action in actionWords

/** What was done, such as `Added a provider key`. */
export function sayAction(action: string): string {
  return isKnown(action) ? actionWords[action] : action
}

/** Deeds that a reader who skims should not miss. */
export function isNotable(action: string): boolean {
  return action === 'credential.reveal' || action === 'account.signin_failed'
}

/** Who did it; the server itself where it was nobody. */
export function sayActor({ actor, action }: AuditEntry): string {
  if (actor) return actor.email ?? 'A deleted account'
  return action === 'account.signin_failed' ? 'Someone' : 'The server'
}

const fieldWords: Record<string, string> = {
  agentId: 'Agent',
  agents: 'Agents in it',
  allowedModels: 'Models it may call',
  baseUrl: 'Goes to',
  budgetPeriod: 'Budget for each',
  budgetUsd: 'Budget, USD',
  cacheSeconds: 'Seconds that answers are kept',
  changed: 'What was changed',
  conversations: 'Conversations in it',
  credentials: 'Provider keys',
  endedSessions: 'Sessions ended',
  disabled: 'Disabled',
  expiresAt: 'Expires',
  fallbackCredentials: 'Goes on with the next provider key',
  fallbackModels: 'Models it falls back to',
  fromVersion: 'From version',
  invitationId: 'By invitation',
  isCurrent: 'The same device',
  last4: 'Last four',
  members: 'Members',
  modelTokensPerMinute: 'Tokens a minute',
  projectId: 'Project',
  prompts: 'Prompts in it',
  requestsPerMinute: 'Requests a minute',
  revokedKeys: 'API keys revoked',
  toVersion: 'To version',
  type: 'Provider',
  unreadable: 'Left as they were',
  unreadableIds: 'Left as they were, by id',
  userAgent: 'Browser or program',
  userId: 'Account',
}

/** A field of a record as a heading. */
function sayField(name: string): string {
  return fieldWords[name] ?? name.charAt(0).toUpperCase() + name.slice(1)
}

function sayValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  return Array.isArray(value) ? value.join(', ') : String(value)
}

/** All that a record says beyond its line in the table, as heading and text. */
export function listFacts(entry: AuditEntry): [heading: string, text: string][] {
  const { at, actor, key_id, target, ip, request_id, detail } = entry
  const known: [string, unknown][] = [
    ['Time', `${at.replace('T', ' ').replace('Z', '')} UTC`],
    ['By account', actor?.id],
    ['With API key', key_id],
    ['About', target],
    ['From', ip],
    ['Request', request_id],
    ...Object.entries(detail).map(([name, value]): [string, unknown] => [sayField(name), value]),
  ]
  return known
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([heading, value]) => [heading, sayValue(value)])
}
