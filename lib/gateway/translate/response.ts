import { AppError } from '../../errors'
import { choiceIn, faultIn } from './chat-answer'
import type { JsonObject } from './json'
import type { ResponseOrigin } from './response-object'
import { ResponseStream } from './stream'

/**
 * A whole chat completion as a Response. Throws provider_failed where the completion holds no answer, or an error.
 */
export function toResponse(completion: JsonObject, origin: ResponseOrigin): JsonObject {
  const fault = faultIn(completion)
  if (fault !== undefined || choiceIn(completion) === null)
    throw new AppError('provider_failed', 'The model server sent no answer.', { cause: fault })
  const stream = new ResponseStream(origin)
  stream.take(completion)
  stream.end(true)
  return stream.response
}
