import type { ModelCall, ModelMessage } from './port'

const goOn =
  'Your last answer broke off where it ends above. Go on from exactly there: begin with the very next character, repeat nothing of it, and do not remark on this.'

/** What the model is told; one that is to continue its own answer is asked to. */
export function messagesOf({ messages, continues }: ModelCall): ModelMessage[] {
  return continues ? [...messages, { role: 'user', text: goOn }] : messages
}
