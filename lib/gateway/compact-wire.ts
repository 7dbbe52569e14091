import { AppError } from '../errors'
import { forwardCall } from '../providers'
import { type Asked, rewrite } from './asked'
import { chatSourceOf } from './chat-sources'
import { noKey, type Target } from './targets'
import { packSummary } from './translate/compaction'
import { asList, asObject, asText, type JsonObject, makeId, refuse } from './translate/json'
import { toChatRequest } from './translate/request'
import { toResponseUsage } from './translate/response-object'
import type { Wire } from './wire'

/** What a model is asked instead of the next answer. */
const wish =
  'Stop here. Write down what somebody who goes on with this conversation in your place has to know, for they will ' +
  'see nothing of it but what you write: who wants what, in their own words where these matter; what was decided, ' +
  'found out and done, with names, numbers, paths and quotations as they are; and what is still open. Write nothing else.'

/**
 * A conversation made short by a server that has only chats: its model is asked to sum it up, and what it writes stands
 * for all that was said. Throws invalid_input for what no chat can hold.
 */
export function openCompactWire(asked: Asked, { key }: Target): Wire {
  if (key.provider === 'demo') throw noKey()
  refuseKept(asked.body)
  const source = chatSourceOf(key, true)
  const { input, tool_choice: _, text: __, stream: ___, ...rest } = asked.body
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : asList(input)
  const chat = toChatRequest({ ...rest, input: [...said, { role: 'user', content: wish }] }, [])
  return {
    path: source.path,
    bytes: rewrite({ ...asked, body: {} }, source.toRequest(chat)).bytes,
    open: forwardCall,
    lastWords: () => null,
    toRefusal: source.toRefusal,
    toHeaders: source.toHeaders,
    translation: {
      whole: (answer, meter) => toCompaction(source.toCompletion(answer, meter)),
      stream: () => {
        throw new AppError('provider_failed', 'The model server streams where it was not asked to.')
      },
    },
  }
}

function refuseKept({ previous_response_id: id }: JsonObject): void {
  if (id === undefined || id === null) return
  const message = 'The server of this model keeps no responses. Send what was said in `input`.'
  throw refuse('previous_response_id', 'unsupported_value', message)
}

/** https://platform.openai.com/docs/api-reference/responses/compact */
function toCompaction(completion: JsonObject): JsonObject {
  const choice = asObject(asList(completion.choices)[0])
  const summary = asText(asObject(choice.message).content).trim()
  if (summary === '' || choice.finish_reason === 'length')
    throw new AppError('provider_failed', 'The model did not sum the conversation up. Try again.')
  const none = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }
  return {
    id: makeId('resp'),
    object: 'response.compaction',
    created_at: Math.floor(Date.now() / 1000),
    output: [{ id: makeId('cmp'), type: 'compaction', encrypted_content: packSummary(summary) }],
    usage: toResponseUsage(completion) ?? {
      ...none,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    },
  }
}
