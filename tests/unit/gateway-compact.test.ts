import { describe, expect, test } from 'vitest'
import { boundUse, limitOutput } from '../../lib/gateway/bounds'
import { openCompactWire } from '../../lib/gateway/compact-wire'
import { StreamMeter } from '../../lib/gateway/meter'
import type { JsonObject } from '../../lib/gateway/translate/json'
import { toChatRequest } from '../../lib/gateway/translate/request'
import type { LentKey } from '../../lib/vault'
import { CompactResource } from '../support/open-responses'

const key = (provider: string) => ({ provider }) as LentKey
const wireFor = (body: JsonObject, provider = 'openai-compatible') =>
  openCompactWire(
    { path: '/responses/compact', bytes: new Uint8Array(), body, model: 'm', isStream: false },
    { key: key(provider), model: 'm' },
  )
const askedOf = (body: JsonObject) => JSON.parse(Buffer.from(wireFor(body).bytes).toString())
const answer = (content: string, finish_reason = 'stop') => ({
  choices: [{ message: { role: 'assistant', content }, finish_reason }],
  usage: { prompt_tokens: 90, completion_tokens: 12, total_tokens: 102 },
})
const tell = (said: JsonObject) =>
  wireFor({ model: 'm', input: 'x' }).translation?.whole(said, new StreamMeter())

describe('a conversation that a server with chats alone makes short', () => {
  test('is told whole, and then that it is to be summed up', () => {
    const { model, messages, ...rest } = askedOf({
      model: 'm',
      instructions: 'Be brief.',
      prompt_cache_key: 'k',
      input: [
        { role: 'user', content: 'Look it up.' },
        { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'Found.' },
      ],
    })
    expect(model).toBe('m')
    expect(messages.slice(0, -1)).toMatchObject([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Look it up.' },
      { role: 'assistant', tool_calls: [{ id: 'c' }] },
      { role: 'tool', content: 'Found.' },
    ])
    expect(messages.at(-1)).toMatchObject({ role: 'user', content: expect.stringMatching(/^Stop here\./) })
    expect(rest).toEqual({ prompt_cache_key: 'k' })
  })

  test('a question of one text is one', () => {
    expect(askedOf({ model: 'm', input: 'Hello' }).messages[0]).toEqual({ role: 'user', content: 'Hello' })
  })

  test('becomes what the specification asks for, and is told to the model in its place', () => {
    const compacted = CompactResource.parse(tell(answer('Grüße: Tuesday, 世界.')))
    expect(compacted.usage).toMatchObject({ input_tokens: 90, output_tokens: 12, total_tokens: 102 })
    const input = [...compacted.output, { role: 'user', content: 'When?' }]
    expect(toChatRequest({ model: 'm', input }, []).messages).toEqual([
      { role: 'user', content: 'What was said before, in short:\n\nGrüße: Tuesday, 世界.' },
      { role: 'user', content: 'When?' },
    ])
  })

  test.each([answer(''), answer('Cut', 'length'), {}])('is none where nothing was summed up: %j', (said) => {
    expect(() => tell(said)).toThrow(expect.objectContaining({ code: 'provider_failed' }))
  })

  test('is refused where it was made short elsewhere, is kept elsewhere, or names no model', () => {
    const sealed = [{ type: 'compaction', encrypted_content: 'gAAAAABsealed' }]
    for (const body of [
      { model: 'm', input: sealed },
      { model: 'm', previous_response_id: 'resp_1' },
      { input: 'x' },
    ])
      expect(() => wireFor(body)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
    expect(() => wireFor({ model: 'm', input: 'x' }, 'demo')).toThrow(
      expect.objectContaining({ code: 'provider_auth' }),
    )
  })
})

test('OpenAI is not told how much it may write when it makes a conversation short; all that it can is set aside', () => {
  const body = { model: 'gpt-5-mini', input: 'x' }
  const openai = { provider: 'openai' as const, model: 'gpt-5-mini' }
  const chat = boundUse('/responses', body, 100, openai)
  const compact = boundUse('/responses/compact', body, 100, openai)
  expect(chat.outputTokens).toBeNull()
  expect(compact.outputTokens).toBe(chat.mostOutputTokens)
  expect(limitOutput('/responses/compact', body, 500, openai)).toBe(body)
  const other = { provider: 'openai-compatible' as const, model: 'm' }
  expect(limitOutput('/responses/compact', body, 500, other)).toMatchObject({ max_output_tokens: 500 })
})
