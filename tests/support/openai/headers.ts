import type { ServerResponse } from 'node:http'
import { countTokens } from './text.ts'
import type { Body } from './types.ts'
import { makeShortId } from './wire.ts'

/** Sets what OpenAI sends with every answer. */
export function setStandardHeaders(response: ServerResponse): void {
  const headers = {
    'x-request-id': `req_${makeShortId('', 32).toLowerCase()}`,
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'openai-organization': 'org-altests',
    'openai-project': 'proj_altests',
    'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
    'x-content-type-options': 'nosniff',
    'access-control-expose-headers': 'CF-Ray, X-Request-ID',
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

/** Sets the rate limits, as calls that use a model have them. */
export function setRateLimits(response: ServerResponse, body: Body): void {
  const limits = {
    'x-ratelimit-limit-requests': '5000',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-requests': '4999',
    'x-ratelimit-remaining-tokens': String(2_000_000 - countTokens(body)),
    'x-ratelimit-reset-requests': '12ms',
    'x-ratelimit-reset-tokens': '6ms',
  }
  for (const [name, value] of Object.entries(limits)) response.setHeader(name, value)
}
