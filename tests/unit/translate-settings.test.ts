import { describe, expect, test } from 'vitest'
import type { AppError } from '../../lib/errors'
import type { JsonObject } from '../../lib/gateway/translate/json'
import { toChatRequest } from '../../lib/gateway/translate/request'

const ask = (body: JsonObject) => toChatRequest({ model: 'm', input: 'Hi', ...body }, [])
const user = (content: unknown) => ({ role: 'user', content })

describe('tools', () => {
  const look = {
    type: 'function',
    name: 'look',
    description: 'Looks.',
    parameters: { type: 'object' },
    strict: true,
  }
  const bare = { type: 'function', name: 'bare', parameters: null, strict: false }
  const patch = {
    type: 'custom',
    name: 'patch',
    description: 'Patches.',
    format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
  }

  test('functions go along, strict where they are', () => {
    expect(ask({ tools: [look, bare], parallel_tool_calls: false, tool_choice: 'required' })).toMatchObject({
      tools: [
        {
          type: 'function',
          function: { name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: true },
        },
        { type: 'function', function: { name: 'bare', parameters: { type: 'object', properties: {} } } },
      ],
      parallel_tool_calls: false,
      tool_choice: 'required',
    })
  })

  test('a custom tool is a function of one text, told with its grammar', () => {
    const { tools } = ask({ tools: [patch] }) as { tools: { function: JsonObject }[] }
    expect(tools[0]?.function).toMatchObject({
      name: 'patch',
      description: 'Patches.\n\nThe input must follow this grammar (lark):\nstart: "x"',
      parameters: { properties: { input: { type: 'string' } }, required: ['input'] },
    })
  })

  test('one tool can be chosen, of either kind', () => {
    for (const name of ['look', 'patch'])
      expect(
        ask({ tools: [look, patch], tool_choice: { type: name === 'look' ? 'function' : 'custom', name } })
          .tool_choice,
      ).toEqual({
        type: 'function',
        function: { name },
      })
  })

  test('where some are allowed, only those are sent', () => {
    const tool_choice = {
      type: 'allowed_tools',
      mode: 'required',
      tools: [{ type: 'function', name: 'bare' }],
    }
    const body = ask({ tools: [look, bare], tool_choice })
    expect(body).toMatchObject({ tools: [{ function: { name: 'bare' } }], tool_choice: 'required' })
    expect(body.tools).toHaveLength(1)
  })

  test('without tools nothing is said of them, for servers refuse it', () => {
    expect(ask({ tools: [], tool_choice: 'auto', parallel_tool_calls: true })).toEqual(ask({}))
  })
})

describe('settings', () => {
  test('are told by the names that chats have for them', () => {
    const schema = { type: 'object', properties: {} }
    const body = {
      max_output_tokens: 50,
      temperature: 0,
      top_p: 0.5,
      top_logprobs: 2,
      reasoning: { effort: 'low', summary: 'auto' },
      text: {
        verbosity: 'low',
        format: { type: 'json_schema', name: 'n', schema, strict: true, description: 'd' },
      },
      user: 'u',
      safety_identifier: 's',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      stream: true,
    }
    expect(ask(body)).toEqual({
      model: 'm',
      messages: [user('Hi')],
      max_tokens: 50,
      temperature: 0,
      top_p: 0.5,
      logprobs: true,
      top_logprobs: 2,
      reasoning_effort: 'low',
      verbosity: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', description: 'd', schema, strict: true },
      },
      user: 'u',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  test('what the gateway does itself is not passed on, and what only the server knows is', () => {
    const own = {
      store: true,
      metadata: { a: 'b' },
      background: true,
      truncation: 'auto',
      include: ['reasoning.encrypted_content'],
      previous_response_id: 'resp_1',
      stream: false,
      service_tier: 'auto',
      n: 4,
      stream_options: { include_obfuscation: false },
      text: { format: { type: 'text' } },
      max_tool_calls: 3,
    }
    const servers = {
      stop: ['x'],
      seed: 7,
      presence_penalty: 0.5,
      frequency_penalty: 0.25,
      top_k: 40,
      chat_template_kwargs: { a: 1 },
    }
    expect(ask({ ...own, ...servers })).toEqual({ ...ask({}), ...servers })
  })

  test('null is as if nothing was said', () => {
    const names = [
      'instructions',
      'tools',
      'tool_choice',
      'text',
      'reasoning',
      'temperature',
      'top_p',
      'max_output_tokens',
      'metadata',
      'user',
      'stream',
      'seed',
      'conversation',
      'prompt',
      'include',
      'top_logprobs',
      'parallel_tool_calls',
    ]
    expect(ask(Object.fromEntries(names.map((name) => [name, null])))).toEqual(ask({}))
  })

  test('who asks is told by the safety identifier where there is no other, probabilities where they are to be included', () => {
    expect(ask({ safety_identifier: 's', include: ['message.output_text.logprobs'] })).toMatchObject({
      user: 's',
      logprobs: true,
    })
    expect(ask({ text: { format: { type: 'json_object' } } }).response_format).toEqual({
      type: 'json_object',
    })
  })
})

describe('what cannot be taken is refused by the name of the parameter', () => {
  const refusals: [path: string, code: string, body: JsonObject][] = [
    ['model', 'missing_required_parameter', { model: undefined }],
    ['model', 'invalid_type', { model: 7 }],
    ['input', 'missing_required_parameter', { input: undefined }],
    ['input', 'missing_required_parameter', { input: [] }],
    ['input', 'invalid_type', { input: 7 }],
    ['input[1]', 'invalid_type', { input: [user('x'), 'y'] }],
    ['input[0].type', 'missing_required_parameter', { input: [{}] }],
    ['input[0].type', 'unsupported_value', { input: [{ type: 'computer_call_output' }] }],
    ['input[0].id', 'invalid_value', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['input[0].role', 'invalid_value', { input: [{ role: 'king', content: 'x' }] }],
    ['input[0].content', 'missing_required_parameter', { input: [{ role: 'user' }] }],
    ['input[0].content[0].type', 'invalid_value', { input: [user([{ type: 'hologram' }])] }],
    ['input[0].content[0].text', 'missing_required_parameter', { input: [user([{ type: 'input_text' }])] }],
    [
      'input[0].content[1].file_id',
      'unsupported_value',
      {
        input: [
          user([
            { type: 'input_text', text: '' },
            { type: 'input_image', file_id: 'file-1' },
          ]),
        ],
      },
    ],
    [
      'input[0].content[0].file_url',
      'unsupported_value',
      { input: [user([{ type: 'input_file', file_url: 'https://example.com' }])] },
    ],
    [
      'input[0].content[0].type',
      'invalid_value',
      { input: [{ role: 'assistant', content: [{ type: 'input_image', image_url: 'x' }] }] },
    ],
    [
      'input[0].call_id',
      'missing_required_parameter',
      { input: [{ type: 'function_call', name: 'x', arguments: '' }] },
    ],
    [
      'input[1].call_id',
      'invalid_value',
      { input: [user('x'), { type: 'function_call_output', call_id: 'a', output: 'A' }] },
    ],
    [
      'input',
      'invalid_value',
      { input: [user('x'), { type: 'function_call', call_id: 'a', name: 'f', arguments: '' }] },
    ],
    ['instructions', 'invalid_type', { instructions: ['x'] }],
    ['tools[0].type', 'unsupported_value', { tools: [{ type: 'web_search' }] }],
    [
      'tools[1].type',
      'unsupported_value',
      {
        tools: [
          { type: 'function', name: 'x' },
          { type: 'mcp', server_label: 'x' },
        ],
      },
    ],
    [
      'tools[0].name',
      'missing_required_parameter',
      { tools: [{ type: 'function', function: { name: 'x' } }] },
    ],
    ['tool_choice', 'invalid_value', { tool_choice: 'sometimes' }],
    ['tool_choice', 'invalid_value', { tool_choice: 'required' }],
    ['tool_choice', 'invalid_value', { tool_choice: { type: 'function', name: 'x' } }],
    ['tool_choice.type', 'unsupported_value', { tool_choice: { type: 'file_search' } }],
    ['text.format.type', 'invalid_value', { text: { format: { type: 'xml' } } }],
    [
      'text.format.schema',
      'missing_required_parameter',
      { text: { format: { type: 'json_schema', name: 'x' } } },
    ],
    ['temperature', 'invalid_type', { temperature: 'hot' }],
    ['max_output_tokens', 'invalid_value', { max_output_tokens: 0 }],
    ['top_logprobs', 'invalid_value', { top_logprobs: 21 }],
    ['presence_penalty', 'invalid_type', { presence_penalty: 'x' }],
    ['metadata', 'invalid_type', { metadata: [] }],
    ['conversation', 'unsupported_value', { conversation: 'conv_1' }],
    ['prompt', 'unsupported_value', { prompt: { id: 'pmpt_1' } }],
  ]

  test.each(refusals)('%s: %s', (path, code, body) => {
    let refusal: unknown
    try {
      ask(body)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({
      name: 'AppError',
      code: 'invalid_input',
      issues: [{ path }],
      facts: { code },
    })
    expect((refusal as AppError).message).toContain(path.split(/[.[]/)[0])
  })
})
