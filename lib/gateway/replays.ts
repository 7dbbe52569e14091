import type { Actor } from '../auth'
import { parseJson } from '../providers'
import type { Asked } from './asked'
import type { Answer } from './collected'
import { callOnce } from './once'
import { digestOf } from './replay-rows'
import { isSet } from './told'
import { asObject } from './translate/json'

/** Answers a call to a model, one with an `Idempotency-Key` once. Throws as `callOnce`. */
export async function answerOnce(
  actor: Actor,
  request: Request,
  asked: Asked,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  const given = request.headers.get('idempotency-key')
  if (given === null) return answer()
  const hash = digestOf(asked.path, asked.bytes)
  const print = { known: () => hash, read: async () => hash }
  return callOnce(actor, given, { print, answer, tellsFault: (body) => tellsFault(asked, body) })
}

/** How a stream that began well tells that its server failed. */
const streamFault = /(?:^|\n)(?:event: ?(?:error|response\.failed)\r?\n|data: ?\{\s*"error"\s*:\s*["{])/

/** Whether an answer of status 200 tells of a fault of its server's; one that was cut short or goes on does not. */
function tellsFault({ isStream }: Asked, body: Buffer): boolean {
  if (isStream) return streamFault.test(body.toString('latin1'))
  const { status, error } = asObject(parseJson(body.toString()))
  return status === 'failed' || isSet(error)
}
