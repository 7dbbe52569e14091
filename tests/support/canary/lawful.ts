import type { SecretKind } from './searcher.ts'

/** A part of an answer: `body`, or the name of a header; `path` is without its query. */
export type Place = {
  method: string
  path: string
  status: number
  part: string
  /** Whether the caller came with an API key. */
  byKey: boolean
}

type Law = { kind: SecretKind; part: string; method: string; path: RegExp; byKey?: true; why: string }

/** The only places in which a secret may be told. */
const laws: Law[] = [
  {
    kind: 'token',
    part: 'set-cookie',
    method: 'POST',
    path: /^\/(api\/auth\/)?(login|register)$/,
    why: 'whoever signs in gets the cookie',
  },
  {
    kind: 'token',
    part: 'body',
    method: 'POST',
    path: /^\/api\/auth\/(login|register)$/,
    why: 'programs keep the token themselves',
  },
  {
    kind: 'token',
    part: 'body',
    method: 'POST',
    path: /^\/(api\/)?auth$/,
    why: 'who has the access key gets a token for it',
  },
  {
    kind: 'token',
    part: 'body',
    method: 'POST',
    path: /^\/api\/launch$/,
    why: 'the ticket is in the link, which is what was asked for',
  },
  {
    kind: 'token',
    part: 'body',
    method: 'GET',
    path: /^\/launch$/,
    why: 'who only looks at a link gets a button that posts its ticket',
  },
  ...['GET', 'POST'].map(
    (method): Law => ({
      kind: 'token',
      part: 'set-cookie',
      method,
      path: /^\/launch$/,
      why: 'whoever comes in by a link gets the cookie',
    }),
  ),
  {
    kind: 'api-key',
    part: 'body',
    method: 'POST',
    path: /^\/api\/keys$/,
    why: 'a new key is shown once, to whoever made it',
  },
  {
    kind: 'provider-key',
    part: 'body',
    method: 'GET',
    path: /^\/api\/credentials(\/global\/[\w-]+)?$/,
    byKey: true,
    why: 'Papita’s contract: a key with credentials:read reads provider keys',
  },
]

/** Whether a secret of this kind may be told there, in an answer that is no refusal. */
export function isLawful(kind: SecretKind, place: Place): boolean {
  return laws.some(
    (law) =>
      law.kind === kind &&
      law.part === place.part &&
      law.method === place.method &&
      law.path.test(place.path) &&
      (place.status < 400 || law.part === 'set-cookie') &&
      (!law.byKey || place.byKey),
  )
}
