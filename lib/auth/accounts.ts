import { db } from '../db'
import { serviceEmail } from './access-hash'
import type { Actor } from './actor'

/** An account as one among others: to be chosen, not to be looked into. */
export type AccountChoice = { id: string; name: string | null; email: string }

/** More would be no choice but a search. */
const maxListed = 500

/** The other accounts that are not disabled, by email, for an admin to choose from; none for anybody else. */
export async function listOtherAccounts(actor: Actor): Promise<AccountChoice[]> {
  if (actor.role !== 'admin') return []
  return db().user.findMany({
    where: { disabledAt: null, id: { not: actor.userId }, email: { not: serviceEmail } },
    select: { id: true, name: true, email: true },
    orderBy: { email: 'asc' },
    take: maxListed,
  })
}
