import { z } from 'zod'
import { comingTime, Id, line, pageFields } from './primitives'

export const CredentialType = z.enum(['openai', 'openai-compatible', 'anthropic'])
export type CredentialType = z.infer<typeof CredentialType>

export const CredentialScope = z.enum(['user', 'project', 'global'])
export type CredentialScope = z.infer<typeof CredentialScope>

/** What is wrong with the address of a server, or null. */
function faultOfAddress(text: string): string | null {
  // Some of these a URL would swallow or take for something else, and the address would look like another.
  if (!/^https?:\/\/[^/]/i.test(text)) return 'Enter an address that begins with https:// or http://.'
  if (/[\p{Cc}\p{Cs}\p{Z}]/u.test(text)) return 'The address must have no spaces and no control characters.'
  if (/[\\?#]|^[^/]*\/\/[^/]*@/.test(text)) {
    return 'The address must have no user name, no query, no fragment and no backslash.'
  }
  return URL.canParse(text) ? null : 'This is not an address.'
}

/** An address as it is called, so that nobody is shown another host than the one that gets the key. */
const BaseUrl = z
  .string()
  .trim()
  .max(500)
  .transform((text, context) => {
    const message = faultOfAddress(text)
    if (message === null) return new URL(text).href.replace(/\/+$/, '')
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const Secret = z.strictObject({
  api_key: z
    .string()
    .trim()
    .min(1, 'Paste the key.')
    .max(4096)
    .regex(/^[\x21-\x7e]+$/, 'A key has no spaces and no special characters.'),
})

/** From when on a key is not lent; null for never. */
const ExpiresAt = comingTime('Choose a day, such as 2027-01-31T00:00:00Z.').nullish()

export const CreateCredential = z
  .strictObject({
    username: z.string().max(254).optional(),
    credentialType: CredentialType,
    projectId: Id.nullish(),
    scope: CredentialScope.optional(),
    label: line(120).optional(),
    baseUrl: BaseUrl.optional(),
    expiresAt: ExpiresAt,
    credentials: Secret,
  })
  .transform((body) => ({ ...body, scope: body.scope ?? (body.projectId ? 'project' : 'user') }))
  .refine(({ scope, projectId }) => (scope === 'project') === Boolean(projectId), {
    path: ['projectId'],
    message: 'A project key needs the project; other keys have none.',
  })
  .refine(({ credentialType, baseUrl }) => credentialType !== 'openai-compatible' || Boolean(baseUrl), {
    path: ['baseUrl'],
    message: 'Enter the address of the server, such as http://127.0.0.1:11434/v1.',
  })
export type CreateCredential = z.output<typeof CreateCredential>

/**
 * What is left out stays. Another address or kind, and moving a key away from those who share it, need the key with it:
 * a stored one never travels to another host, nor does it leave with whoever may only use it.
 */
export const UpdateCredential = z
  .strictObject({
    username: z.string().max(254).optional(),
    credentialType: CredentialType.optional(),
    projectId: Id.nullish(),
    scope: CredentialScope.optional(),
    /** Null takes the label away. */
    label: line(120).nullish(),
    baseUrl: BaseUrl.optional(),
    /** A key that is replaced has no end but the one that comes with it. */
    expiresAt: ExpiresAt,
    credentials: Secret.optional(),
  })
  .refine(({ scope, projectId }) => !projectId || scope === undefined || scope === 'project', {
    path: ['projectId'],
    message: 'A project key needs the project; other keys have none.',
  })
export type UpdateCredential = z.output<typeof UpdateCredential>

/** In a query, nothing after the `=` is as good as nothing at all. */
const orNothing = <T extends z.ZodType>(schema: T) =>
  z.preprocess((text) => text || undefined, schema.optional())

/** Query of `GET /api/credentials`: narrows the list of a session, and says to an API key whose key is wanted. */
export const FindCredentials = z.strictObject({
  ...pageFields,
  username: orNothing(z.string().trim().max(254)),
  credentialType: orNothing(CredentialType),
  projectId: orNothing(Id),
})
export type FindCredentials = z.output<typeof FindCredentials>

/** Which kind of key is wanted; what is no kind is told apart from what is not there. */
export const GlobalCredentialParams = z.strictObject({ type: z.string().max(100) })

export const CredentialParams = z.strictObject({ credentialId: Id })

export type CredentialRecord = {
  id: string
  scope: CredentialScope
  credentialType: CredentialType
  projectId: string | null
  username: string | null
  label: string | null
  baseUrl: string
  last4: string
  createdAt: string
  updatedAt: string
  lastUsedAt: string | null
}

/** What can be said against a key: by its provider, on the way there, or by the server itself. */
export const CredentialFailure = z.enum(['refused', 'quota', 'unreachable', 'wrong_api', 'not_allowed'])
export type CredentialFailure = z.infer<typeof CredentialFailure>

/** The record as pages show it; `failedAt` is when the key began to fail. */
export type CredentialView = CredentialRecord & {
  expiresAt: string | null
  failure: CredentialFailure | null
  failedAt: string | null
}

/** A key that asks for attention. Of several reasons the first one of this list is told. */
export type KeyConcern = { kind: 'expired' | 'failing' | 'expiring'; credential: CredentialView }

/** A key as Papita's clients read it, and the only shape in which one is ever told. */
export type RevealedCredential = {
  success: true
  credentials: {
    id: string
    credentialType: CredentialType
    projectId: string | null
    scope: CredentialScope
    /** Only where the key is for another address than its provider's own: then it must go nowhere else. */
    baseUrl?: string
    credentials: { api_key: string }
  }
}

export type CredentialTest = { ok: boolean; latency_ms: number; models?: number; error?: string }

/** From which key of the vault to which everything is sealed anew. */
export type RotationRecord = { from_version: number; to_version: number }

/** The vault's own key: its version and age; while it is rotated, from which version, and how many records are left. */
export type VaultKeyState = {
  version: number
  since: string
  from_version: number | null
  remaining: number
}

/** One step of the order in which a key is looked for; the order is that of `resolutionSources`. */
export type ResolutionStep = {
  source: (typeof resolutionSources)[number]
  /**
   * `serves`: this key is taken. `available`: it would be, if none before it were. `unasked`: nobody looked, since a key
   * before it serves. `empty`: no key. `expired`: only keys whose time is over. `failed`: nobody knows, for the reason
   * in `detail`. `off`: not looked at for such an agent, or on this server.
   */
  status: 'serves' | 'available' | 'unasked' | 'empty' | 'expired' | 'failed' | 'off'
  /** For people, such as `OpenAI key ending 9e77`. Never a secret. */
  detail: string
  /** What was last said against that key, if anything. */
  failure?: CredentialFailure
}

export const resolutionSources = [
  'papita_user',
  'papita_global',
  'user',
  'project',
  'global',
  'environment',
  'demo',
] as const

/** Whose search is asked for; without it, the caller's. */
export const ResolutionQuery = z.strictObject({ user_id: Id.optional() })
