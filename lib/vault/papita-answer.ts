import { z } from 'zod'
import { env } from '../env'
import type { PapitaReply } from './papita-call'

/** What Papita says of one key. Why something failed is told in words for people, without anything that Papita said. */
export type PapitaAnswer =
  | { kind: 'found'; apiKey: string }
  | { kind: 'none' }
  | { kind: 'failed'; why: string; isSilent: boolean }

/** As AL-Chat answers to `GET /api/credentials` with a key that may read; what else is in it does not matter. */
const Shape = z.object({
  success: z.literal(true),
  credentials: z.object({
    credentialType: z.literal('openai').optional(),
    baseUrl: z.string().nullish(),
    credentials: z.object({ api_key: z.string(), base_url: z.string().nullish() }),
  }),
})

const usableKey = /^[\x21-\x7e]{1,4096}$/

/** What a reply means. A 404 is a good answer: there is no such key. */
export function readAnswer(reply: PapitaReply): PapitaAnswer {
  if ('fault' in reply) return failed(reply.fault, reply.isSilent)
  if (reply.status === 404) return { kind: 'none' }
  if (reply.status !== 200) return failed(explainStatus(reply.status), /^50[234]$/.test(String(reply.status)))
  return readKey(reply.text)
}

function readKey(text: string): PapitaAnswer {
  const body = parse(text)
  if (body === undefined)
    return failed('Papita answers with something that is not JSON. Check PAPITA_API_URL.')
  if (typeof body === 'object' && body !== null && 'success' in body && body.success === false) {
    return failed('Papita says that it could not look for the key.')
  }
  const shape = Shape.safeParse(body)
  if (!shape.success) return failed('Papita answers in a form that AL-Chat does not know.')
  const { baseUrl, credentials } = shape.data.credentials
  for (const address of [baseUrl, credentials.base_url]) {
    if (address && !isOurs(address))
      return failed('The key in Papita is for another address than OPENAI_BASE_URL.')
  }
  if (usableKey.test(credentials.api_key)) return { kind: 'found', apiKey: credentials.api_key }
  return failed('What Papita has is no key: it is empty, too long, or has characters that no key has.')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A Papita key goes where all keys of OpenAI go; Papita cannot name another place. */
function isOurs(address: string): boolean {
  return URL.canParse(address) && new URL(address).origin === new URL(env().OPENAI_BASE_URL).origin
}

function explainStatus(status: number): string {
  if (status === 401) {
    return env().PAPITA_API_TOKEN
      ? 'Papita does not accept PAPITA_API_TOKEN.'
      : 'Papita asks for a token, and PAPITA_API_TOKEN is not set.'
  }
  if (status === 403) return 'Papita does not allow this server to ask for keys.'
  if (status >= 300 && status < 400) {
    return 'Papita sends this server to another address, which is not followed. Check PAPITA_API_URL.'
  }
  if (status >= 500) return `Papita has an error of its own (status ${status}).`
  return `Papita answers with status ${status}.`
}

function failed(why: string, isSilent = false): PapitaAnswer {
  return { kind: 'failed', why, isSilent }
}
