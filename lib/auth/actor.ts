import type { Role } from '../contracts/accounts'

/** Who is calling, as the database says at this moment. */
export type Actor = {
  userId: string
  role: Role
  email: string
  name: string | null
  sessionId: string
}

/** Where a call comes from, for the audit and the list of devices. */
export type Origin = { ip: string; userAgent: string | null; requestId: string | null }
