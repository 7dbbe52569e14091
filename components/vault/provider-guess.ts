import type { CredentialType } from '@/lib/contracts/credentials'

/** Whose key it seems to be, and where that provider is asked, if it is not one that is known by itself. */
export type ProviderGuess = { type: CredentialType; name: string; baseUrl?: string }

const signs: (ProviderGuess & { prefix: string })[] = [
  { prefix: 'sk-ant-', type: 'anthropic', name: 'Anthropic' },
  {
    prefix: 'sk-or-',
    type: 'openai-compatible',
    name: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
  },
  { prefix: 'gsk_', type: 'openai-compatible', name: 'Groq', baseUrl: 'https://api.groq.com/openai/v1' },
  { prefix: 'xai-', type: 'openai-compatible', name: 'xAI', baseUrl: 'https://api.x.ai/v1' },
  { prefix: 'sk-', type: 'openai', name: 'OpenAI' },
]

/** The provider that gives out keys which begin like this one; null if none is known to. */
export function guessProvider(key: string): ProviderGuess | null {
  const sign = signs.find(({ prefix }) => key.trim().startsWith(prefix))
  if (!sign) return null
  const { prefix: _, ...guess } = sign
  return guess
}

/** Whether this is a key of AL-Chat itself, which no provider knows. */
export function isOwnKey(key: string): boolean {
  return key.trim().startsWith('alc_')
}
