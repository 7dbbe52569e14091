import type { CredentialRecord, CredentialType, ResolutionStep } from '@/lib/contracts/credentials'

/** The providers by the names that people know them by. */
export const providerNames: Record<CredentialType, string> = {
  openai: 'OpenAI',
  'openai-compatible': 'OpenAI-compatible',
  anthropic: 'Anthropic',
}

/** Where each step of the resolution looks. */
export const sourceNames: Record<ResolutionStep['source'], string> = {
  papita_user: 'Your key in Papita',
  papita_global: 'Papita’s key for everyone',
  user: 'Your own keys',
  project: 'The project’s keys',
  global: 'Everyone’s keys',
  environment: 'The server’s environment',
  demo: 'Demo model',
}

/** Whose key it is, in the reader's words. */
export function sayOwner(
  { scope, projectId }: CredentialRecord,
  projectNames: Record<string, string>,
): string {
  if (scope === 'global') return 'Everyone'
  if (scope === 'project') return (projectId && projectNames[projectId]) || 'A project'
  return 'You'
}

/** The key as it may be spoken of, such as `OpenAI key ending 9e77`. */
export function sayKey({ credentialType, last4 }: CredentialRecord): string {
  return `${providerNames[credentialType]} key ending ${last4}`
}

/** `https://api.openai.com/v1` as `api.openai.com/v1`; plain http keeps its scheme, since that matters. */
export function sayAddress(baseUrl: string): string {
  return baseUrl.replace(/^https:\/\//, '')
}
