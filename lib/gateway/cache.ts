import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Actor } from '../auth'
import { parseJson } from '../providers'
import { remember } from '../remember'
import type { ServedAnswer } from './answer'
import { type Answer, collect } from './collected'
import { type Line, settle } from './ledger'
import type { Question } from './question'
import type { Target } from './targets'
import { asObject } from './translate/json'

/** All answers that this server keeps together, and the largest one, in bytes. */
const maxBytes = 64 * 1024 * 1024
const maxAnswerBytes = 1024 * 1024
const maxAnswers = 10_000

/** An answer with who gave it, for the ledger. */
type Kept = { body: Buffer; headers: [string, string][]; served: Target }

const kept = () =>
  remember(
    'gateway.cache',
    () =>
      new LRUCache<string, Kept>({
        max: maxAnswers,
        maxSize: maxBytes,
        maxEntrySize: maxAnswerBytes,
        sizeCalculation: ({ body }) => body.length + 1024,
      }),
  )

/** What the cache had for a call; null where the key keeps no answers. */
export type Cached = Line['cache']

/**
 * Where the caller's API key says so, the answer that the very same question got with this key a while ago, streams as
 * streams; `x-al-cache` tells. What was answered with an error, or not to its end, is asked again.
 */
export async function answerFromCache(
  actor: Actor,
  question: Question,
  request: Request,
  ask: (cache: Cached) => Promise<ServedAnswer>,
): Promise<Answer> {
  const seconds = actor.policy?.cacheSeconds ?? null
  if (seconds === null || actor.keyId === null || question.body.background === true) return ask(null)
  const name = nameOf(actor.keyId, question)
  const known = kept().get(name)
  if (known) return replay({ actor, question, request }, known)
  const { served, ...answer } = await ask('miss')
  answer.response.headers.set('x-al-cache', 'miss')
  if (answer.response.status !== 200) return answer
  const headers = [...answer.response.headers].filter(([header]) => isLasting(header))
  return collect(answer, {
    maxBytes: maxAnswerBytes,
    whole: async (body) => {
      if (body && isGood(question, body)) kept().set(name, { body, headers, served }, { ttl: seconds * 1000 })
    },
    lost: () => undefined,
  })
}

/** Whether an answer of status 200 says that all went well. */
function isGood({ path, isStream }: Question, body: Buffer): boolean {
  if (path !== '/responses') return !isStream || !saysFault.test(body.toString())
  if (isStream) return body.includes('event: response.completed')
  return asObject(parseJson(body.toString())).status === 'completed'
}

/** A stream that began well tells so what went wrong after that. */
const saysFault = /(?:^|\n)(?:event: ?error|data: ?\{\s*"error")/

/** Of the bytes that were asked: read as JSON, two large numbers may be the same. */
function nameOf(keyId: string, { path, bytes, projectId }: Question): string {
  return createHash('sha256')
    .update(JSON.stringify([keyId, path, projectId]))
    .update(bytes)
    .digest('base64')
}

/** What was true of the first call alone: its limits, its time, its cost. */
function isLasting(header: string): boolean {
  return !/^(x-ratelimit-|x-al-|retry-after|openai-processing-ms|set-cookie)/.test(header)
}

type Asked = { actor: Actor; question: Question; request: Request }

function replay({ actor, question, request }: Asked, { body, headers, served }: Kept): Answer {
  const line: Line = {
    actor,
    question,
    ...served,
    status: 200,
    retries: 0,
    reservation: null,
    requestId: request.headers.get('x-request-id'),
    cache: 'hit',
  }
  void settle(line, null, 'whole')
  const response = new Response(Buffer.from(body), { status: 200, headers })
  response.headers.set('x-al-cache', 'hit')
  if (!question.isStream) response.headers.set('x-al-cost-usd', '0')
  return { response, isWhole: () => true }
}
