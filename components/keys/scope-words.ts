import type { KeyRecord, Scope } from '@/lib/contracts/keys'

type ScopeWords = {
  scope: Scope
  /** In a list, such as `Chat`. */
  label: string
  /** What a program with it may do. */
  detail: string
  /** Only an admin can give it. */
  isForAdmins?: boolean
}

const words: Record<Scope, Omit<ScopeWords, 'scope'>> = {
  gateway: { label: 'Models', detail: 'Call models and agents as with OpenAI’s own API.' },
  chat: { label: 'Chat', detail: 'Talk to agents and read the conversations.' },
  'portal:read': { label: 'Read the portal', detail: 'List projects, agents, prompts and use.' },
  'portal:write': {
    label: 'Change the portal',
    detail: 'Make, change and delete projects, agents and prompts.',
  },
  'credentials:read': {
    label: 'Read provider keys',
    detail: 'Get keys out of the vault in clear. Each time is recorded.',
    isForAdmins: true,
  },
  launch: { label: 'Launch', detail: 'Sign other people in, for a portal of your own.', isForAdmins: true },
}

/** Every scope there is, the usual first. */
export const scopes: ScopeWords[] = (Object.keys(words) as Scope[]).map((scope) => ({
  scope,
  ...words[scope],
}))

/** What a key may do, in a few words. */
export function sayScopes(list: Scope[]): string {
  return scopes
    .filter(({ scope }) => list.includes(scope))
    .map(({ label }) => label)
    .join(', ')
}

/** Where a key reaches, in a few words; `projects` are those that the reader knows. */
export function sayReach(
  { project_id }: Pick<KeyRecord, 'project_id'>,
  projects: readonly { id: string; name: string }[],
): string {
  if (project_id === null) return 'All of yours'
  return projects.find(({ id }) => id === project_id)?.name ?? 'One project'
}
