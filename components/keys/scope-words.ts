import type { Scope } from '@/lib/contracts/keys'

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
  chat: { label: 'Chat', detail: 'Talk to agents and read the conversations.' },
  gateway: { label: 'Models', detail: 'Call models as with OpenAI’s own API.' },
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

/** Every scope there is, the harmless first. */
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
