import { type CreatedKey, type CreateKey, Scope } from '../../lib/contracts/keys'
import type { People } from './access'
import { Client } from './client'

/** What kind of key a call is made with; see the head of the access matrix. */
export const keyCallers = [
  'rightScope',
  'otherScopes',
  'elsewhere',
  'revoked',
  'expired',
  'accessToken',
] as const
export type KeyCaller = (typeof keyCallers)[number]

/** The key of each kind for a call that takes this scope; where it takes no scope, one with all that its owner can give. */
export type Keys = Record<KeyCaller, (takes: string) => string>

type Wish = Omit<CreateKey, 'name'> & { name?: string }

/** Makes a key. Throws where the server refuses. */
export async function makeKey(user: Client, wish: Wish): Promise<CreatedKey> {
  const { status, body, text } = await user.post('/api/keys', { name: 'Key', ...wish })
  if (status !== 201) throw new Error(`No key: ${status} ${text}`)
  return body as unknown as CreatedKey
}

/** A caller with this key. */
export function withKey(user: Client, { key }: Pick<CreatedKey, 'key'>): Client {
  return new Client(user.url, key)
}

/** A key that has run out just now. */
async function makeExpiredKey(user: Client, scopes: Scope[]): Promise<CreatedKey> {
  const made = await makeKey(user, { scopes, expires_at: new Date(Date.now() + 1500).toISOString() })
  const client = withKey(user, made)
  while ((await client.get('/api/auth/me')).status !== 401) await new Promise((wake) => setTimeout(wake, 50))
  return made
}

const membersScopes: Scope[] = ['chat', 'gateway', 'portal:read', 'portal:write']

/** A token for the server's access key. */
async function exchangeAccessKey(url: string, accessKey: string): Promise<string> {
  const { status, body, text } = await new Client(url).post('/api/auth', { access_key: accessKey })
  if (status !== 200) throw new Error(`No token: ${status} ${text}`)
  return String(body.token)
}

/**
 * The keys of the access matrix: the owner's, an admin's where it is about scopes that are missing, and a token for the
 * server's access key.
 */
export async function makeKeys({ owner, admin }: People, accessKey: string): Promise<Keys> {
  const accessToken = await exchangeAccessKey(owner.url, accessKey)
  const project = await owner.post('/api/projects', { name: 'Elsewhere' })
  const elsewhere = await makeKey(owner, { scopes: membersScopes, project_id: String(project.body.id) })
  const revoked = await makeKey(owner, { scopes: membersScopes })
  await owner.delete(`/api/keys/${revoked.id}`)
  const expired = await makeExpiredKey(owner, membersScopes)
  const all = await makeKey(owner, { scopes: membersScopes })
  const right = new Map<string, string>()
  const others = new Map<string, string>()
  for (const scope of Scope.options) {
    const rest = Scope.options.filter((other) => other !== scope)
    others.set(scope, (await makeKey(admin, { scopes: rest })).key)
    if (membersScopes.includes(scope)) right.set(scope, (await makeKey(owner, { scopes: [scope] })).key)
  }
  return {
    rightScope: (takes) => right.get(takes) ?? all.key,
    otherScopes: (takes) => others.get(takes) ?? all.key,
    elsewhere: () => elsewhere.key,
    revoked: () => revoked.key,
    expired: () => expired.key,
    accessToken: () => accessToken,
  }
}
