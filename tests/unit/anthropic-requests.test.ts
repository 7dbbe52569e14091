import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { asAppError } from '../../lib/errors'
import { toMessagesRequest } from '../../lib/gateway/anthropic/request'
import { type AnthropicServer, startAnthropic } from '../support/anthropic'
import { callMessages } from '../support/anthropic-call'

let server: AnthropicServer

beforeAll(async () => {
  server = await startAnthropic()
})
afterEach(() => server.reset())
afterAll(() => server.close())

/** Names of models of every kind that there is. */
const models = [
  'claude-3-haiku-20240307',
  'claude-3-7-sonnet-20250219',
  'claude-opus-4-1-20250805',
  'claude-sonnet-4-20250514',
  'claude-haiku-4-5-20251001',
  'claude-sonnet-4-5',
  'claude-opus-4-5',
  'claude-opus-4-6',
  'claude-sonnet-4-6',
  'claude-opus-4-8',
  'claude-sonnet-5',
  'claude-opus-5',
  'claude-fable-5',
  'claude-fable-5-1',
  'claude-opus-5-5',
  'claude-sonnet-5-5',
  'claude-haiku-5-5',
]

const question = { role: 'user', content: 'What is the weather in Paris?' }
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Tells the weather.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}
const call = (id: string, args = '{"city":"Paris"}') => ({
  id,
  type: 'function',
  function: { name: 'get_weather', arguments: args },
})

/** The request, after a server that reads as Anthropic does has taken it. */
async function taken(chat: object, model = 'claude-sonnet-4-5') {
  const request = toMessagesRequest({ model, messages: [question], ...chat })
  const { status, json } = await callMessages(server.baseUrl, request)
  expect({ status, json }).toMatchObject({ status: 200 })
  return request
}

function refused(chat: object, model = 'claude-sonnet-4-5') {
  try {
    toMessagesRequest({ model, messages: [question], ...chat })
  } catch (error) {
    const { code, issues, facts } = asAppError(error)
    return { code, path: issues?.[0]?.path, said: facts?.code }
  }
  throw new Error('The request was not refused.')
}

describe('messages', () => {
  test('of the system and of developers become instructions, wherever they stand', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      question,
      { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
    ]
    expect(await taken({ messages })).toMatchObject({
      system: 'Be brief.\n\nBe kind.',
      messages: [{ role: 'user', content: [{ type: 'text', text: question.content }] }],
    })
  })

  test('of one side are joined, and those with nothing to be seen in them are left out', async () => {
    const messages = [
      { role: 'user', content: 'One.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: ' \n' },
          { type: 'text', text: 'Two.' },
        ],
      },
      { role: 'assistant', content: '' },
      { role: 'assistant', content: [{ type: 'text', text: 'Three.' }] },
      { role: 'assistant', content: null, refusal: 'Not four.' },
      { role: 'user', content: 'Five.' },
    ]
    expect((await taken({ messages })).messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'One.' },
          { type: 'text', text: 'Two.' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Three.' },
          { type: 'text', text: 'Not four.' },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'Five.' }] },
    ])
  })

  test.each(models)(
    'that begin with an answer, end with one, or are instructions alone: %s',
    async (model) => {
      const answer = { role: 'assistant', content: 'Hello.' }
      expect(await taken({ messages: [answer, question] }, model)).toBeTruthy()
      expect(await taken({ messages: [question, answer] }, model)).toBeTruthy()
      const { system, messages } = await taken({ messages: [{ role: 'system', content: 'Sing.' }] }, model)
      expect(system).toBeUndefined()
      expect(messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Sing.' }] }])
    },
  )

  test('may have pictures and files in them, by address or in full', async () => {
    const content = [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,aGVsbG8=', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.jpg' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
      { type: 'file', file: { file_data: 'data:text/csv;base64,w6Q7MQ==' } },
      { type: 'text', text: 'What is this?' },
    ]
    expect((await taken({ messages: [{ role: 'user', content }] })).messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGVsbG8=' } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.jpg' } },
          {
            type: 'document',
            source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
            title: 'a.pdf',
          },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'ä;1' } },
          { type: 'text', text: 'What is this?' },
        ],
      },
    ])
  })

  test('of tools are results in one turn of the user, before what the user says', async () => {
    const messages = [
      question,
      { role: 'assistant', content: 'I look.', tool_calls: [call('call_1'), call('call_2', '')] },
      { role: 'tool', tool_call_id: 'call_2', content: 'rain' },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'sun' }] },
      { role: 'user', content: 'And?' },
    ]
    expect((await taken({ messages, tools: [weather] })).messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: question.content }] },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Paris' } },
          { type: 'tool_use', id: 'call_2', name: 'get_weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_2', content: [{ type: 'text', text: 'rain' }] },
          { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'sun' }] },
          { type: 'text', text: 'And?' },
        ],
      },
    ])
  })

  test('may call by ids that Anthropic does not take, and with arguments that are no JSON', async () => {
    const messages = [
      question,
      {
        role: 'assistant',
        tool_calls: [call('functions.get:0', '{"city":"Par'), call('functions.get:1', '[1]')],
      },
      { role: 'tool', tool_call_id: 'functions.get:0', content: '' },
      { role: 'tool', tool_call_id: 'functions.get:1', content: 'sun' },
    ]
    const { messages: turns } = await taken({ messages, tools: [weather] })
    const [, answer, results] = turns as { content: { input: unknown }[] }[]
    expect(answer?.content.map(({ input }) => input)).toEqual([
      { arguments: '{"city":"Par' },
      { arguments: '[1]' },
    ])
    expect(results?.content).toHaveLength(2)
  })

  test('that speak of calls go along without tools, too', async () => {
    const messages = [
      question,
      { role: 'assistant', tool_calls: [call('call_1')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
    ]
    expect(await taken({ messages })).toMatchObject({
      tools: [{ name: 'get_weather' }],
      tool_choice: { type: 'none' },
    })
  })

  test('keep the thoughts that were signed, first in the answer, and no others', async () => {
    const thinking = { type: 'thinking', thinking: 'Paris…', signature: 'sig-1', index: 0 }
    const messages = [
      question,
      {
        role: 'assistant',
        content: 'I look.',
        reasoning_content: 'Paris…',
        thinking_blocks: [
          thinking,
          { type: 'redacted_thinking', data: 'x', index: 1 },
          { type: 'thinking', thinking: 'unsigned' },
        ],
        tool_calls: [call('call_1')],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
    ]
    const request = await taken({ messages, tools: [weather], reasoning_effort: 'high' })
    expect(request.thinking).toEqual({ type: 'enabled', budget_tokens: 16_384 })
    expect((request.messages as { content: unknown[] }[])[1]?.content.slice(0, 3)).toEqual([
      { type: 'thinking', thinking: 'Paris…', signature: 'sig-1' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'text', text: 'I look.' },
    ])
  })

  test('of calls that nobody answered, or answers that nobody called for, are refused as OpenAI does', () => {
    const calling = { role: 'assistant', tool_calls: [call('call_1')] }
    const result = { role: 'tool', tool_call_id: 'call_1', content: 'sun' }
    expect(refused({ messages: [question, calling] })).toMatchObject({ path: 'messages.[1]' })
    expect(refused({ messages: [question, calling, question] })).toMatchObject({ path: 'messages.[2]' })
    expect(refused({ messages: [question, result] })).toMatchObject({ path: 'messages.[1].tool_call_id' })
    expect(refused({ messages: [question, calling, result, result] })).toMatchObject({
      code: 'invalid_input',
    })
  })

  test.each([
    ['no list', undefined],
    ['none', []],
    ['no object', ['Hello']],
    ['an unknown role', [{ role: 'wizard', content: 'Hello' }]],
    ['a number for a content', [{ role: 'user', content: 7 }]],
    ['an unknown part', [{ role: 'user', content: [{ type: 'smell' }] }]],
    ['no address', [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'a.png' } }] }]],
    [
      'a picture among instructions',
      [{ role: 'system', content: [{ type: 'image_url', image_url: 'https://a.b/c' }] }],
    ],
  ])('are refused where they are %s', (_name, messages) => {
    expect(refused({ messages })).toMatchObject({ code: 'invalid_input' })
  })
})

describe('what Anthropic cannot do', () => {
  const sound = { type: 'input_audio', input_audio: { data: 'aGVsbG8=', format: 'wav' } }
  const user = (part: object) => ({ messages: [{ role: 'user', content: [part] }] })
  test.each<[string, object, string]>([
    ['several choices', { n: 2 }, 'n'],
    ['probabilities', { logprobs: true }, 'logprobs'],
    ['a bias of tokens', { logit_bias: { 50256: -100 } }, 'logit_bias'],
    ['spoken answers', { modalities: ['text', 'audio'], audio: { voice: 'alloy' } }, 'modalities'],
    ['a search of the web', { web_search_options: {} }, 'web_search_options'],
    ['tools of the provider', { tools: [{ type: 'web_search' }] }, 'tools.[0].type'],
    ['custom tools', { tools: [weather, { type: 'custom', custom: { name: 'x' } }] }, 'tools.[1].type'],
    ['functions of old', { functions: [{ name: 'x' }] }, 'functions'],
    ['sounds', user(sound), 'messages.[0].content.[0]'],
    [
      'files at OpenAI',
      user({ type: 'file', file: { file_id: 'file-1' } }),
      'messages.[0].content.[0].file.file_id',
    ],
    [
      'pictures of odd kinds',
      user({ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA==' } }),
      'messages.[0].content.[0].image_url',
    ],
    [
      'files of odd kinds',
      user({ type: 'file', file: { file_data: 'data:application/zip;base64,AA==' } }),
      'messages.[0].content.[0].file.file_data',
    ],
    ['a stop at a line break', { stop: ['END', '\n'] }, 'stop'],
  ])('is refused by name: %s', (_name, chat, path) => {
    expect(refused(chat)).toEqual({ code: 'invalid_input', path, said: 'unsupported_parameter' })
  })

  test('is passed over where the answer means the same without it', async () => {
    const plain = await taken({})
    const leaning = {
      n: 1,
      logprobs: false,
      logit_bias: {},
      presence_penalty: 1,
      frequency_penalty: -1,
      seed: 7,
      prediction: { type: 'content', content: 'x' },
      service_tier: 'flex',
      store: true,
      metadata: { a: 'b' },
      verbosity: 'low',
      prompt_cache_key: 'k',
      modalities: ['text'],
      unheard_of: true,
      stream_options: { include_usage: true },
    }
    expect(await taken(leaning)).toEqual(plain)
  })
})

describe('settings', () => {
  test('a number of tokens is always said: what was asked for, as much as the model can, or 32,000', async () => {
    const most = async (chat: object, model?: string) => (await taken(chat, model)).max_tokens
    expect(await most({})).toBe(32_000)
    expect(await most({}, 'claude-3-haiku-20240307')).toBe(4096)
    expect(await most({ max_tokens: 10 })).toBe(10)
    expect(await most({ max_tokens: 10, max_completion_tokens: 20 })).toBe(20)
    expect(await most({ max_tokens: 1_000_000 })).toBe(64_000)
    expect(await most({ max_tokens: 1_000_000 }, 'claude-opus-5-5')).toBe(128_000)
    for (const odd of [0, -1, 1.5, '10'])
      expect(refused({ max_tokens: odd })).toMatchObject({ path: 'max_tokens' })
  })

  test('temperature is cut at 1; of temperature and top_p one is sent', async () => {
    expect(await taken({ temperature: 0.3 })).toMatchObject({ temperature: 0.3 })
    expect(await taken({ temperature: 1.7, top_p: 0.5 })).toMatchObject({ temperature: 1 })
    expect(await taken({ top_p: 0.5 })).toMatchObject({ top_p: 0.5 })
  })

  test.each(models)('all settings of sampling and all efforts go through: %s', async (model) => {
    for (const effort of [undefined, 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'odd']) {
      await taken({ temperature: 0.5, top_p: 0.5, reasoning_effort: effort }, model)
      await taken({ reasoning_effort: effort, max_tokens: 1100 }, model)
      await taken({ reasoning_effort: effort, tools: [weather], tool_choice: 'required' }, model)
    }
  })

  test('stop sequences, and who asks, as a digest that tells nothing', async () => {
    const { stop_sequences, metadata } = await taken({ stop: 'END', user: 'ada@example.com' })
    expect(stop_sequences).toEqual(['END'])
    expect(metadata).toEqual({ user_id: expect.stringMatching(/^[\da-f]{64}$/) })
    expect((await taken({ user: 'eve@example.com' })).metadata).not.toEqual(metadata)
    expect((await taken({ safety_identifier: 'ada@example.com' })).metadata).toEqual(metadata)
    expect(await taken({ stop: ['', 'A', 'B'] })).toMatchObject({ stop_sequences: ['A', 'B'] })
  })

  test('a stream is asked for where one is wanted', () => {
    const chat = { model: 'claude-opus-5-5', messages: [question] }
    expect(toMessagesRequest({ ...chat, stream: true })).toMatchObject({ stream: true })
    expect(toMessagesRequest({ ...chat, stream: false })).not.toHaveProperty('stream')
  })
})

describe('thinking', () => {
  const asked = async (model: string, chat: object = {}) => {
    const { thinking, output_config, temperature } = await taken(chat, model)
    return { thinking, output_config, temperature }
  }
  const summarized = { type: 'adaptive', display: 'summarized' }

  test('is a number of tokens for models that are told one, with room left for the answer', async () => {
    const budget = (chat: object) => asked('claude-haiku-4-5', { temperature: 0.2, ...chat })
    expect(await budget({})).toEqual({ temperature: 0.2 })
    expect(await budget({ reasoning_effort: 'none' })).toEqual({ temperature: 0.2 })
    expect(await budget({ reasoning_effort: 'low' })).toEqual({
      thinking: { type: 'enabled', budget_tokens: 2048 },
    })
    expect(await budget({ reasoning_effort: 'high', max_tokens: 4000 })).toEqual({
      thinking: { type: 'enabled', budget_tokens: 3000 },
    })
    expect(await budget({ reasoning_effort: 'high', max_tokens: 1200 })).toEqual({ temperature: 0.2 })
  })

  test('is left to models that decide by themselves, with an effort that they know', async () => {
    expect(await asked('claude-opus-4-6')).toEqual({})
    expect(await asked('claude-opus-4-6', { reasoning_effort: 'xhigh' })).toEqual({
      thinking: summarized,
      output_config: { effort: 'high' },
    })
    expect(await asked('claude-opus-4-8', { reasoning_effort: 'xhigh' })).toEqual({
      thinking: summarized,
      output_config: { effort: 'xhigh' },
    })
    expect(await asked('claude-opus-5-5', { reasoning_effort: 'minimal' })).toEqual({
      thinking: summarized,
      output_config: { effort: 'low' },
    })
  })

  test('of models that think by themselves is told in a summary, and turned off as far as they allow', async () => {
    expect(await asked('claude-opus-5-5')).toEqual({ thinking: summarized })
    expect(await asked('claude-opus-5', { reasoning_effort: 'none' })).toEqual({
      thinking: { type: 'disabled' },
    })
    expect(await asked('claude-sonnet-5-5', { reasoning_effort: 'none' })).toEqual({
      thinking: { type: 'between_tools' },
    })
    expect(await asked('claude-opus-5-5', { reasoning_effort: 'none' })).toEqual({
      thinking: summarized,
      output_config: { effort: 'low' },
    })
  })

  test('with a number is not asked for in mid-answer, when what was thought before is not there', async () => {
    const messages = [
      question,
      { role: 'assistant', tool_calls: [call('call_1')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
    ]
    const chat = { messages, tools: [weather], reasoning_effort: 'high' }
    expect(await asked('claude-sonnet-4-5', chat)).toEqual({})
    expect(await asked('claude-opus-5-5', chat)).toMatchObject({ thinking: summarized })
  })

  test('as Anthropic’s own clients ask for it is handed on', async () => {
    const thinking = { type: 'enabled', budget_tokens: 5000 }
    expect(await asked('claude-sonnet-4-5', { thinking, temperature: 0.4 })).toEqual({ thinking })
  })
})

describe('tools', () => {
  test('are functions with their schema; one without parameters has an empty one', async () => {
    const tools = [weather, { type: 'function', function: { name: 'now' } }]
    expect((await taken({ tools })).tools).toEqual([
      {
        name: 'get_weather',
        description: 'Tells the weather.',
        input_schema: weather.function.parameters,
      },
      { name: 'now', input_schema: { type: 'object', properties: {} } },
    ])
  })

  test('a choice, one at a time, a single one, some of them', async () => {
    const other = { type: 'function', function: { name: 'now' } }
    const tools = [weather, other]
    const choice = async (chat: object) => (await taken({ tools, ...chat })).tool_choice
    const named = { type: 'function', function: { name: 'now' } }
    expect(await choice({})).toBeUndefined()
    expect(await choice({ tool_choice: 'auto' })).toEqual({ type: 'auto' })
    expect(await choice({ tool_choice: 'none' })).toEqual({ type: 'none' })
    expect(await choice({ tool_choice: 'required' })).toEqual({ type: 'any' })
    expect(await choice({ tool_choice: named })).toEqual({ type: 'tool', name: 'now' })
    expect(await choice({ parallel_tool_calls: false })).toEqual({
      type: 'auto',
      disable_parallel_tool_use: true,
    })
    expect(await choice({ parallel_tool_calls: false, tool_choice: 'required' })).toEqual({
      type: 'any',
      disable_parallel_tool_use: true,
    })
    const some = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [named] } }
    expect(await taken({ tools, tool_choice: some })).toMatchObject({
      tools: [{ name: 'now' }],
      tool_choice: { type: 'any' },
    })
    expect(refused({ tools, tool_choice: { type: 'function', function: { name: 'gone' } } })).toMatchObject({
      path: 'tool_choice',
    })
  })

  test('that a model cannot be forced to call are asked for in words', async () => {
    const { tool_choice, system } = await taken(
      { tools: [weather], tool_choice: 'required' },
      'claude-opus-5-5',
    )
    expect(tool_choice).toEqual({ type: 'auto' })
    expect(system).toMatch(/calling one of the tools/)
  })

  test('that are strict are held to their schema where the model does that', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string', minLength: 2 } },
      required: ['city'],
      additionalProperties: false,
    }
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters, strict: true } }]
    expect((await taken({ tools })).tools).toEqual([
      {
        name: 'get_weather',
        strict: true,
        input_schema: {
          ...parameters,
          properties: { city: { type: 'string', description: '(minLength: 2)' } },
        },
      },
    ])
    expect((await taken({ tools }, 'claude-3-haiku-20240307')).tools).toEqual([
      { name: 'get_weather', input_schema: parameters },
    ])
  })
})

describe('formats of answers', () => {
  const format = (schema: object) => ({
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
  })
  const point = {
    type: 'object',
    properties: { x: { type: 'number', minimum: 0 }, y: { oneOf: [{ type: 'null' }, { type: 'number' }] } },
    required: ['x', 'y'],
  }

  test('a schema is enforced, with what cannot be enforced in words', async () => {
    const { output_config, system } = await taken(format(point))
    expect(system).toBeUndefined()
    expect(output_config).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: {
            x: { type: 'number', description: '(minimum: 0)' },
            y: { anyOf: [{ type: 'null' }, { type: 'number' }] },
          },
          required: ['x', 'y'],
          additionalProperties: false,
        },
      },
    })
  })

  const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' } }, required: ['next'] }
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`f${n}`, { type: 'string' }]))
  test.each<[string, object]>([
    ['an object with fields of any name', { type: 'object', additionalProperties: { type: 'string' } }],
    ['an object without fields', { type: 'object' }],
    ['itself', { $ref: '#/$defs/node', $defs: { node } }],
    [
      'nothing that is there',
      { type: 'object', properties: { a: { $ref: '#/$defs/gone' } }, required: ['a'] },
    ],
    ['many fields that may be missing', { type: 'object', properties: many }],
  ])('a schema that would mean something else is asked for in words: with %s', async (_name, schema) => {
    const { output_config, system } = await taken(format(schema))
    expect(output_config).toBeUndefined()
    expect(system).toContain(JSON.stringify(schema))
  })

  test('references are followed, also where very many lead to one place', async () => {
    const defs = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => {
        const next = { $ref: `#/$defs/d${n + 1}` }
        return [`d${n}`, { type: 'object', properties: { a: next, b: next }, required: ['a', 'b'] }]
      }),
    )
    const schema = { $ref: '#/$defs/d0', $defs: { ...defs, d40: { type: 'string' } } }
    expect((await taken(format(schema))).output_config).toMatchObject({
      format: { schema: { $ref: '#/$defs/d0' } },
    })
  })

  test('models that know no schemas, and JSON without one, are told in words', async () => {
    expect((await taken(format(point), 'claude-3-haiku-20240307')).system).toMatch(/JSON Schema/)
    expect((await taken({ response_format: { type: 'json_object' } })).system).toMatch(/one JSON object/)
    expect(await taken({ response_format: { type: 'text' } })).toEqual(await taken({}))
    expect(refused({ response_format: { type: 'json_schema' } })).toMatchObject({ path: 'response_format' })
  })
})
