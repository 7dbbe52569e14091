import type OpenAI from 'openai'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OpenedReply } from '../../lib/contracts/conversations'
import { type AnthropicServer, startAnthropic } from '../support/anthropic'
import { followToEnd, openTalk, type Talk, textOf } from '../support/chat'
import { pixel, upload } from '../support/files'
import { type GatewayWorld, startGateway } from '../support/gateway'

/*
 * Claude, where the key that serves is one of Anthropic's: for agents in the chat, and for OpenAI's clients, which do
 * not know whom they talk to.
 */

const apiKey = 'sk-ant-test-of-the-claude-world-51ce'
let anthropic: AnthropicServer
let world: GatewayWorld
let client: OpenAI

const keep = (user: GatewayWorld['admin'] | Talk['user'], scope: string) =>
  user.post('/api/credentials', {
    scope,
    credentialType: 'anthropic',
    baseUrl: anthropic.baseUrl,
    credentials: { api_key: apiKey },
  })

beforeAll(async () => {
  anthropic = await startAnthropic()
  world = await startGateway()
  expect((await keep(world.admin, 'global')).status).toBe(201)
  client = await world.sdk()
})
beforeEach(() => {
  anthropic.reset()
  world.upstream.reset()
})
afterAll(async () => {
  await world.close()
  await anthropic.close()
})

const question = { role: 'user' as const, content: 'Grüße 世界' }
const claude = { model: 'claude-sonnet-5-5', messages: [question] }
const asked = () => anthropic.journal.at(-1)?.body as Record<string, unknown>

describe('OpenAI’s own client', () => {
  test('gets a whole answer of Claude’s, and OpenAI hears nothing of it', async () => {
    const whole = await client.chat.completions.create(claude)
    expect(whole).toMatchObject({
      object: 'chat.completion',
      model: 'claude-sonnet-5-5',
      choices: [{ message: { content: 'You said: Grüße 世界' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 25, completion_tokens: 15, total_tokens: 40 },
    })
    expect(world.upstream.journal).toEqual([])
    expect(anthropic.journal[0]?.headers).toMatchObject({ 'x-api-key': apiKey })
    expect(JSON.stringify(anthropic.journal[0]?.headers)).not.toContain('alc_')
  })

  test.each(['events', 'bytes', { random: 3 }] as const)(
    'gets a stream of it, cut in any way: %j',
    async (split) => {
      anthropic.script({
        split,
        unknownEvents: true,
        usage: { input: 5, cacheRead: 20, output: 9, thinking: 4 },
        blocks: [
          { type: 'thinking', thinking: 'Hm, hm.' },
          { type: 'text', text: 'Guten Tag 世界' },
        ],
      })
      const stream = client.chat.completions.stream({ ...claude, stream_options: { include_usage: true } })
      let reasoning = ''
      for await (const { choices } of stream) {
        const delta = choices[0]?.delta as { reasoning_content?: string } | undefined
        reasoning += delta?.reasoning_content ?? ''
      }
      const whole = await stream.finalChatCompletion()
      expect(reasoning).toBe('Hm, hm.')
      expect(whole.choices[0]?.message.content).toBe('Guten Tag 世界')
      expect(whole.usage).toMatchObject({ prompt_tokens: 25, completion_tokens: 9, total_tokens: 34 })
      expect(whole.usage?.prompt_tokens_details?.cached_tokens).toBe(20)
    },
  )

  test('has two tools called at once, and sends back what they said', async () => {
    const tools = ['get_weather', 'get_time'].map((name) => ({
      type: 'function' as const,
      function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    }))
    anthropic.script({
      blocks: [
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } },
        { type: 'tool_use', name: 'get_time', input: {} },
      ],
    })
    const first = await client.chat.completions.stream({ ...claude, tools }).finalChatCompletion()
    const [choice] = first.choices
    expect(choice?.finish_reason).toBe('tool_calls')
    const calls = (choice?.message.tool_calls ?? []).filter((call) => call.type === 'function')
    expect(calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)])).toEqual([
      ['get_weather', { city: 'Paris' }],
      ['get_time', {}],
    ])
    const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'sun' }))
    const answer = { role: 'assistant' as const, content: 'I look.', tool_calls: calls }
    const messages = [question, answer, ...results]
    const second = await client.chat.completions.create({ ...claude, tools, messages })
    expect(second.choices[0]?.finish_reason).toBe('stop')
    expect((asked().messages as { content: unknown[] }[])[2]?.content).toHaveLength(2)
  })

  test.each([
    ['authentication', 401, 'invalid_api_key'],
    ['no_credit', 429, 'insufficient_quota'],
    ['too_long', 400, 'context_length_exceeded'],
    ['not_found', 404, 'model_not_found'],
  ])('is told of errors as OpenAI tells them, without the key: %s', async (error, status, code) => {
    anthropic.script(() => ({ error }))
    const failed = await client.chat.completions.create(claude).then(
      () => null,
      (reason: unknown) => reason as { status: number; code: string; message: string },
    )
    expect(failed).toMatchObject({ status, code })
    expect(failed?.message).not.toContain(apiKey)
  })

  test('is told at once what Anthropic cannot do, and Anthropic is not asked', async () => {
    await expect(client.chat.completions.create({ ...claude, n: 2 })).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: 'n',
    })
    expect(anthropic.journal).toEqual([])
  })

  test('hears of an error in the middle of a stream as an error, after what was said', async () => {
    anthropic.script({ end: 'error', after: 5 })
    let text = ''
    const listen = async () => {
      for await (const chunk of await client.chat.completions.create({ ...claude, stream: true }))
        text += chunk.choices[0]?.delta.content ?? ''
    }
    await expect(listen()).rejects.toMatchObject({ code: 'server_is_overloaded' })
    expect(text).not.toBe('')
  })
})

describe('an agent that is set to Anthropic', () => {
  async function ask(talk: Talk, text: string, files: unknown[] = []) {
    const body = { id: newId(), parent_id: null, text, file_ids: files }
    const opened = await talk.user.post(`/api/conversations/${talk.conversationId}/messages`, body)
    expect(opened.status, opened.text).toBe(202)
    const { reply } = opened.body as unknown as OpenedReply
    return followToEnd(talk.user, reply.events_url)
  }
  const talkToClaude = () =>
    openTalk(world.server.url, { model_provider: 'anthropic', model_name: 'claude-sonnet-5-5' })

  test('answers with Claude, thoughts and all', async () => {
    anthropic.script({
      usage: { input: 5, cacheRead: 20, output: 9, thinking: 4 },
      blocks: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'Guten Tag 世界' },
      ],
    })
    const events = await ask(await talkToClaude(), 'Hello?')
    expect(textOf(events)).toBe('Guten Tag 世界')
    expect(events.filter(({ type }) => type === 'reasoning')).toMatchObject([{ data: { text: 'Hm.' } }])
    expect(events.at(-1)).toMatchObject({
      type: 'completed',
      data: { usage: { input_tokens: 25, output_tokens: 9, cached_tokens: 20, reasoning_tokens: 4 } },
    })
  })

  test('is given pictures and PDFs in full, and texts as text', async () => {
    const talk = await talkToClaude()
    const attach = async (name: string, content: string | Buffer) => {
      const { status, body, text } = await upload(talk.user, name, content, { agent_id: talk.agentId })
      expect(status, text).toBe(201)
      return body.id
    }
    const pdf = Buffer.from('%PDF-1.7\nnothing in it', 'latin1')
    const files = [await attach('a.png', pixel), await attach('a.pdf', pdf), await attach('a.md', '# Hi')]
    expect(textOf(await ask(talk, 'What is this?', files))).toBe('You said: What is this?')
    const source = (media_type: string, content: Buffer) => ({
      type: 'base64',
      media_type,
      data: content.toString('base64'),
    })
    expect(asked().messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: source('image/png', pixel) },
          { type: 'document', source: source('application/pdf', pdf), title: 'a.pdf' },
          { type: 'text', text: '<file name="a.md">\n# Hi\n</file>' },
          { type: 'text', text: 'What is this?' },
        ],
      },
    ])
  })

  test('says what is wrong with its key', async () => {
    anthropic.script({ error: 'authentication' })
    const events = await ask(await talkToClaude(), 'Hello?')
    expect(events.at(-1)).toMatchObject({
      type: 'failed',
      data: {
        error: {
          code: 'provider_auth',
          remedy: 'vault',
          message: expect.stringMatching(/^Anthropic refused the key ending 51ce/),
        },
      },
    })
  })
})
