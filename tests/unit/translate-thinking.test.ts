import { expect, test } from 'vitest'
import { toMessagesRequest } from '../../lib/gateway/anthropic/request'
import type { JsonObject } from '../../lib/gateway/translate/json'
import { toChatRequest } from '../../lib/gateway/translate/request'
import { toResponse } from '../../lib/gateway/translate/response'
import { finish, hear, origin, piece, say } from '../support/translated'

// Anthropic takes thoughts back only with their signatures, which clients of Responses know nothing of.
const thought = { type: 'thinking', thinking: 'Grüße, 世界.', signature: 'c2ln' }
const hidden = { type: 'redacted_thinking', data: 'aGlk' }
const call = { id: 'call_a', type: 'function', function: { name: 'look', arguments: '{}' } }

const streamed = [
  say({ reasoning_content: 'Grüße, ' }),
  say({ reasoning_content: '世界.' }),
  say({ thinking_blocks: [{ index: 0, ...thought }] }),
  say({ thinking_blocks: [{ index: 1, ...hidden }] }),
  piece({ index: 0, ...call }),
  finish('tool_calls'),
]

function whole(message: JsonObject): JsonObject[] {
  const completion = { choices: [{ message, finish_reason: 'tool_calls' }] }
  return toResponse(completion, origin).output as JsonObject[]
}

/** What a chat is told when the items of an answer are sent back with the output of its call. */
function sendBack(output: JsonObject[]): JsonObject {
  const answered = { type: 'function_call_output', call_id: 'call_a', output: 'seen' }
  const tools = [{ type: 'function', name: 'look' }]
  const input = [{ role: 'user', content: 'x' }, ...output, answered]
  return toChatRequest({ model: 'claude-sonnet-4-5', input, tools, reasoning: { effort: 'low' } }, [])
}

test('signed thoughts go out with the reasoning and come back as they were', () => {
  const outputs = [
    hear(streamed).output,
    whole({ reasoning_content: thought.thinking, thinking_blocks: [thought, hidden], tool_calls: [call] }),
  ]
  for (const output of outputs) {
    expect(output).toMatchObject([
      { type: 'reasoning', encrypted_content: expect.any(String), summary: [{ text: thought.thinking }] },
      { type: 'function_call' },
    ])
    expect(sendBack(JSON.parse(JSON.stringify(output))).messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', reasoning_content: thought.thinking, thinking_blocks: [thought, hidden] },
      { role: 'tool' },
    ])
  }
  expect(outputs[0]?.[0]?.encrypted_content).toBe(outputs[1]?.[0]?.encrypted_content)
})

test('so that Anthropic is asked with the thoughts before the call', () => {
  const { messages } = toMessagesRequest(sendBack(hear(streamed).output)) as { messages: JsonObject[] }
  expect(messages[1]).toMatchObject({
    role: 'assistant',
    content: [thought, hidden, { type: 'tool_use', id: 'call_a', name: 'look' }],
  })
})

test('thoughts that nobody may read go along alone', () => {
  const [reasoning, called] = whole({ thinking_blocks: [hidden], tool_calls: [call] })
  expect(reasoning).toMatchObject({ type: 'reasoning', encrypted_content: expect.any(String), summary: [] })
  expect(sendBack([{ ...reasoning }, { ...called }]).messages).toMatchObject([
    {},
    { thinking_blocks: [hidden] },
    {},
  ])
})

test('what OpenAI encrypted, or somebody made up, is no thought', () => {
  const made = [
    'gAAAAABpPB8i',
    'thoughts.',
    'thoughts.!!!',
    `thoughts.${btoa('{"a":1}')}`,
    `thoughts.${btoa('[7]')}`,
  ]
  for (const encrypted_content of made) {
    const reasoning = { type: 'reasoning', summary: [], encrypted_content }
    const [, message] = sendBack([
      reasoning,
      { type: 'function_call', call_id: 'call_a', name: 'look', arguments: '' },
    ]).messages as JsonObject[]
    expect(Object.keys(message ?? {})).toEqual(['role', 'content', 'tool_calls'])
  }
})
