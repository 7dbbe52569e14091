import { sayDay, sayEndsSoon, sayFailure, sayKey } from '@/components/vault/credential-words'
import type { KeyConcern } from '@/lib/contracts/credentials'
import type { KeyRecord } from '@/lib/contracts/keys'
import type { KeyNotice } from './key-notices'

function sayConcern({ kind, credential: { expiresAt, failure } }: KeyConcern, asOf: string): string {
  if (kind === 'failing' && failure) return sayFailure(failure)
  if (kind === 'expired' && expiresAt) return `It ended on ${sayDay(expiresAt)} and is not used. Replace it.`
  return `${sayEndsSoon(expiresAt, asOf) ?? 'Ends soon'}. Replace it before then.`
}

function toVaultNotice(concern: KeyConcern, asOf: string): KeyNotice {
  const { credential, kind } = concern
  return {
    id: credential.id,
    tone: kind === 'expiring' ? 'warn' : 'bad',
    name: `${sayKey(credential)}${credential.label ? ` (${credential.label})` : ''}`,
    words: sayConcern(concern, asOf),
    href: '/vault',
    action: 'Open the vault',
  }
}

function toApiKeyNotice({ id, name, expires_at }: KeyRecord, asOf: string): KeyNotice | null {
  if (expires_at === null) return null
  const hasEnded = expires_at <= asOf
  const soon = sayEndsSoon(expires_at, asOf)
  if (!hasEnded && soon === null) return null
  return {
    id,
    tone: hasEnded ? 'bad' : 'warn',
    name: `API key “${name}”`,
    words: hasEnded
      ? `It ended on ${sayDay(expires_at)}: programs with it are refused. Make another, or revoke it.`
      : `${soon}. Make another one for the programs that use it.`,
    href: '/keys',
    action: 'Open API keys',
  }
}

/** What the dashboard says of provider keys and API keys at the moment `asOf`; the most urgent first. */
export function toNotices(concerns: KeyConcern[], apiKeys: KeyRecord[], asOf: string): KeyNotice[] {
  const all = [
    ...concerns.map((concern) => toVaultNotice(concern, asOf)),
    ...apiKeys.flatMap((key) => toApiKeyNotice(key, asOf) ?? []),
  ]
  return [...all.filter(({ tone }) => tone === 'bad'), ...all.filter(({ tone }) => tone === 'warn')]
}
