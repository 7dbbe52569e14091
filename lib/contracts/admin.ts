import { z } from 'zod'
import { Email, Role } from './accounts'
import { Id, pageFields, prose } from './primitives'

/** Accounts whose email or name has this in it. */
export const ListUsers = z.strictObject({ query: prose(254).optional(), ...pageFields })
export type ListUsers = z.output<typeof ListUsers>

export const UserParams = z.strictObject({ userId: Id })

/** Body of `PATCH /api/admin/users/{id}`. */
export const UpdateUser = z
  .strictObject({ role: Role.optional(), disabled: z.boolean().optional() })
  .refine(({ role, disabled }) => role !== undefined || disabled !== undefined, 'Say what is to be changed.')
export type UpdateUser = z.output<typeof UpdateUser>

export const InviteUser = z.strictObject({ email: Email, role: Role.default('member') })
export type InviteUser = z.output<typeof InviteUser>

export const InvitationParams = z.strictObject({ invitationId: Id })

/** An account as admins see it. Times are ISO 8601 UTC. */
export type ManagedUser = {
  id: string
  email: string
  name: string | null
  role: Role
  /** Null: it may be used. */
  disabled_at: string | null
  created_at: string
  /** When one of the devices that it is signed in on was last heard of. */
  last_seen_at: string | null
  /** Devices that it is signed in on. */
  sessions: number
  /** API keys that are not revoked. */
  keys: number
}

/** Somebody who was asked and has not come yet. */
export type InvitationRecord = {
  id: string
  email: string
  role: Role
  invited_by: string
  created_at: string
  expires_at: string
}

/** The answer of `POST /api/admin/users/invite`: the only time that the link is shown. */
export type CreatedInvitation = InvitationRecord & { url: string }

/** Settings of the server as text: the environment variable, empty for none, what it is about, and what it says. */
export type SettingGroup = { title: string; settings: [variable: string, label: string, value: string][] }
