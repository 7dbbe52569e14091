import type { ChatSessionRecord, JsonObject } from '@/lib/contracts/sessions'

/** Which sessions a page shows; empty: all. */
export type SessionFilter = { user: string; day: string }

/** The page of these sessions. */
export function hrefOf({ user, day }: SessionFilter, cursor?: string): string {
  const params = new URLSearchParams({
    ...(user && { user }),
    ...(day && { day }),
    ...(cursor && { cursor }),
  })
  return params.size === 0 ? '/sessions' : `/sessions?${params}`
}

/** `1 h 5 min`, `3 min 20 s`, `12 s`. */
export function sayDuration(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  if (hours > 0) return `${hours.toLocaleString('en')} h ${minutes} min`
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`
}

/** A figure of a session, or a dash where there is none. */
export function sayFigure(metrics: JsonObject, name: string): string {
  const value = metrics[name]
  return typeof value === 'number' ? value.toLocaleString('en') : '–'
}

/** Whose it is, and what the client called them where that is something else. */
export function sayPerson({ user, username }: ChatSessionRecord): { name: string; claimed: string | null } {
  return { name: user.name ?? user.email, claimed: username === user.email ? null : username }
}

const figures: Record<string, string> = {
  messages: 'Messages',
  requests: 'Calls of models',
  errors: 'Errors',
  input_tokens: 'Tokens in',
  output_tokens: 'Tokens out',
  total_tokens: 'Tokens in all',
  first_token_ms: 'First token, median',
  first_token_max_ms: 'First token, slowest',
}

/** What the server counted, in words. */
export function listFigures(counted: JsonObject): { label: string; value: string }[] {
  return Object.entries(figures)
    .filter(([name]) => name in counted)
    .map(([name, label]) => {
      const unit = name.endsWith('_ms') ? ' ms' : ''
      return { label, value: `${sayFigure(counted, name)}${unit}` }
    })
}

/** What a client said, as text; objects as JSON. */
export function listSaid(said: JsonObject): { label: string; value: string }[] {
  return Object.entries(said).map(([label, value]) => ({
    label,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }))
}
