// What every answer says to browsers, whoever writes it: Next (next.config.ts) or this server itself (direct.mjs).

/** @type {readonly (readonly [name: string, value: string])[]} */
export const answerHeaders = [
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), payment=()'],
]
