import type { Actor } from '../auth'
import type { UsageGroup } from '../contracts/usage'
import { db } from '../db'

type Named = { key: string | null; label: string | null }

/** The groups with what they are called, as far as the actor may know: an admin all, others what is theirs. */
export async function nameGroups<T extends Named>(
  actor: Actor,
  group: UsageGroup,
  groups: T[],
): Promise<T[]> {
  if (group === 'day' || group === 'model') return groups.map((sum) => ({ ...sum, label: sum.key }))
  const ids = [...new Set(groups.flatMap(({ key }) => (key === null ? [] : [key])))]
  const names = await find[group](actor, ids)
  return groups.map((sum) => ({ ...sum, label: names.get(sum.key ?? '') ?? null }))
}

type Find = (actor: Actor, ids: string[]) => Promise<Map<string, string>>

const find: Record<'project' | 'user' | 'key', Find> = {
  project: async ({ userId, role }, ids) => {
    const mine = role === 'admin' ? {} : { members: { some: { userId } } }
    const rows = await db().project.findMany({
      where: { id: { in: ids }, ...mine },
      select: { id: true, name: true },
    })
    return new Map(rows.map(({ id, name }) => [id, name]))
  },
  user: async (_, ids) => {
    const rows = await db().user.findMany({
      where: { id: { in: ids } },
      select: { id: true, email: true },
    })
    return new Map(rows.map(({ id, email }) => [id, email]))
  },
  key: async ({ userId, role }, ids) => {
    const mine = role === 'admin' ? {} : { userId }
    const rows = await db().apiKey.findMany({
      where: { id: { in: ids }, ...mine },
      select: { id: true, name: true, last4: true },
    })
    return new Map(rows.map(({ id, name, last4 }) => [id, `${name} ··${last4}`]))
  },
}
