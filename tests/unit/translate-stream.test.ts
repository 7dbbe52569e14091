import { describe, expect, test } from 'vitest'
import { toResponse } from '../../lib/gateway/translate/response'
import { type ResponseEvent, ResponseStream } from '../../lib/gateway/translate/stream'
import { finish, hear, origin, piece, say } from '../support/translated'

const text = (said: string) => ({ type: 'output_text', annotations: [], logprobs: [], text: said })

describe('a text', () => {
  test('comes as OpenAI’s does, event for event', () => {
    const { events, types } = hear([
      say({ role: 'assistant', content: '' }),
      say({ content: 'He' }),
      say({ content: 'y' }),
      finish('stop'),
    ])
    expect(types).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ])
    expect(events[0]?.response).toMatchObject({
      status: 'in_progress',
      output: [],
      usage: null,
      service_tier: 'auto',
    })
    expect(events[2]?.item).toMatchObject({
      type: 'message',
      status: 'in_progress',
      content: [],
      role: 'assistant',
    })
    expect(events[3]?.part).toEqual(text(''))
    expect(events[7]?.part).toEqual(text('Hey'))
    expect(events.at(-1)?.response).toMatchObject({
      status: 'completed',
      output: [{ status: 'completed', content: [text('Hey')] }],
      completed_at: expect.any(Number),
      service_tier: 'default',
    })
  })

  test('is cut short by length or a filter, and its item with it', () => {
    for (const [reason, said] of [
      ['length', 'max_output_tokens'],
      ['content_filter', 'content_filter'],
    ] as const) {
      const { types, response, output } = hear([say({ content: 'He' }), finish(reason)])
      expect(types.at(-1)).toBe('incomplete')
      expect(response).toMatchObject({
        status: 'incomplete',
        incomplete_details: { reason: said },
        completed_at: null,
      })
      expect(output).toMatchObject([{ status: 'incomplete' }])
    }
  })

  test('may come in typed parts, thoughts among them', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
      { type: 'text', text: 'Hey' },
    ]
    const { output } = hear([say({ content }), finish('stop')])
    expect(output).toMatchObject([{ summary: [{ text: 'Hm.' }] }, { content: [{ text: 'Hey' }] }])
  })

  test('that is empty is a message all the same, unless something else came', () => {
    expect(hear([say({ role: 'assistant', content: '' }), finish('stop')]).output).toMatchObject([
      { content: [text('')] },
    ])
    expect(hear([say({ reasoning: 'Hm' }), finish('stop')]).output.map(({ type }) => type)).toEqual([
      'reasoning',
      'message',
    ])
    expect(
      hear([piece({ index: 0, id: 'a', function: { name: 'f' } }), finish('tool_calls')]).output,
    ).toHaveLength(1)
    expect(hear([finish('length')]).output).toEqual([])
  })

  test('and a refusal are two parts of one message', () => {
    const { events, output } = hear([
      say({ content: 'Well' }),
      say({ refusal: 'No' }),
      say({ refusal: '.' }),
      finish('stop'),
    ])
    expect(output).toMatchObject([{ content: [text('Well'), { type: 'refusal', refusal: 'No.' }] }])
    expect(
      events
        .filter(({ type }) => type === 'response.refusal.delta')
        .map(({ content_index }) => content_index),
    ).toEqual([1, 1])
  })

  test('has its probabilities and its citations, those too that come before it', () => {
    const cite = (url: string) => ({
      type: 'url_citation',
      url_citation: { url, title: 'T', start_index: 1, end_index: 2 },
    })
    const logprobs = {
      content: [
        { token: 'é', logprob: -1, bytes: null, top_logprobs: [{ token: 'e', logprob: -2, bytes: [101] }] },
      ],
    }
    const { events, output } = hear([
      say({ annotations: [cite('https://a.example')] }),
      say({ content: 'é' }, { logprobs }),
      say({ annotations: [cite('https://b.example'), { type: 'file', file: {} }] }),
      finish('stop'),
    ])
    const probabilities = [
      {
        token: 'é',
        logprob: -1,
        bytes: [195, 169],
        top_logprobs: [{ token: 'e', logprob: -2, bytes: [101] }],
      },
    ]
    const annotations = ['https://a.example', 'https://b.example'].map((url) => ({
      type: 'url_citation',
      url,
      title: 'T',
      start_index: 1,
      end_index: 2,
    }))
    expect(output).toMatchObject([{ content: [{ annotations, logprobs: probabilities }] }])
    expect(events.find(({ type }) => type === 'response.output_text.delta')).toMatchObject({
      logprobs: probabilities,
    })
    const added = events.filter(({ type }) => type === 'response.output_text.annotation.added')
    expect(added).toMatchObject([{ annotation_index: 0 }, { annotation_index: 1 }])
  })
})

describe('thoughts', () => {
  test('are a summary that ends before the text begins', () => {
    const { types, output } = hear([
      say({ reasoning_content: 'H' }),
      say({ reasoning: 'm' }),
      say({ content: 'Hey' }),
      finish('stop'),
    ])
    expect(types.slice(2, 10)).toEqual([
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'output_item.added',
    ])
    expect(output[0]).toMatchObject({
      type: 'reasoning',
      content: [],
      summary: [{ type: 'summary_text', text: 'Hm' }],
    })
  })

  test('that come twice under two names are told once', () => {
    const { output } = hear([
      say({ reasoning_content: 'Hm', reasoning: 'Hm' }),
      say({ reasoning_content: '', reasoning: '!' }),
      finish('stop'),
    ])
    expect(output[0]).toMatchObject({ summary: [{ text: 'Hm!' }] })
  })

  test('between texts are items between messages', () => {
    const { output } = hear([
      say({ content: 'A' }),
      say({ reasoning: 'B' }),
      say({ content: 'C' }),
      finish('stop'),
    ])
    expect(output.map(({ type }) => type)).toEqual(['message', 'reasoning', 'message'])
  })
})

describe('what servers say besides', () => {
  test('other choices, empty chunks and what is repeated change nothing', () => {
    const usage = {
      prompt_tokens: 3,
      completion_tokens: 4,
      total_tokens: 7,
      prompt_tokens_details: { cached_tokens: 1 },
    }
    const { response, output } = hear([
      { choices: [], usage: null, prompt_filter_results: [] },
      { choices: [{ index: 1, delta: { content: 'other' } }] },
      {},
      {
        model: 'real',
        service_tier: 'priority',
        choices: [{ delta: { content: 'Hey' } }],
        usage: { ...usage, completion_tokens: 1 },
      },
      finish('stop'),
      finish('stop'),
      { choices: [], usage },
    ])
    expect(output).toMatchObject([{ content: [text('Hey')] }])
    expect(response).toMatchObject({
      model: 'real',
      service_tier: 'priority',
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 1 },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 7,
      },
    })
  })

  test('an error, however it is said, fails the Response with what had come and nothing of what was said', () => {
    const said = { message: 'sk-secret is wrong', type: 'x', code: 'y' }
    for (const chunk of [
      { error: said },
      { object: 'error', ...said },
      { choices: [{ index: 0, delta: {}, error: said }] },
      finish('error'),
    ]) {
      const stream = new ResponseStream(origin)
      stream.take(say({ content: 'He' }))
      const events = stream.take(chunk)
      expect(events.map(({ type }) => type)).toEqual(['error', 'response.failed'])
      expect(events[0]?.error).toEqual({
        type: 'server_error',
        code: 'server_error',
        message: expect.any(String),
        param: null,
      })
      expect(events[1]?.response).toMatchObject({
        status: 'failed',
        error: { code: 'server_error' },
        output: [{ status: 'incomplete', content: [text('He')] }],
      })
      expect(JSON.stringify(events)).not.toContain('sk-secret')
      expect([
        ...stream.take(say({ content: 'y' })),
        ...stream.end(),
        ...stream.fail({ ...said, param: null }),
      ]).toEqual([])
    }
  })

  test('an error is told as it is explained', () => {
    const explain = (said: unknown) => ({ type: 't', code: null, message: JSON.stringify(said), param: 'p' })
    const stream = new ResponseStream(origin, explain)
    const events = stream.take({ error: { message: 'm' } })
    expect(events.at(-2)).toMatchObject({
      type: 'error',
      error: { type: 't', code: null, message: '{"error":{"message":"m"}}', param: 'p' },
    })
    expect(events.at(-1)?.response).toMatchObject({
      error: { code: 'server_error', message: '{"error":{"message":"m"}}' },
    })
  })

  test('an answer that never says why it ends has failed, unless it is said to be whole', () => {
    expect(hear([say({ content: 'He' })]).types.slice(-2)).toEqual(['error', 'failed'])
    expect(hear([]).types).toEqual(['created', 'in_progress', 'error', 'failed'])
    expect(hear([say({ content: 'He' })], true).types.at(-1)).toBe('completed')
  })

  test('an answer that does not stop is ended', () => {
    const stream = new ResponseStream(origin)
    const much = say({ content: 'x'.repeat(1024 * 1024) })
    const given: ResponseEvent[][] = []
    while (!stream.isOver && given.length < 100) given.push(stream.take(much))
    expect(given).toHaveLength(10)
    expect(given.at(-1)?.map(({ type }) => type)).toEqual(['error', 'response.failed'])
    expect(stream.response.status).toBe('failed')
    const many = new ResponseStream(origin)
    const calls = Array.from({ length: 10_000 }, () => ({ function: { name: 'f' } }))
    for (let turn = 0; turn < 100 && !many.isOver; turn++) many.take(say({ tool_calls: calls }))
    expect(many.isOver).toBe(true)
  })
})

test('a stream can begin before its first chunk, under the name that the caller gave the model', () => {
  const stream = new ResponseStream({ ...origin, model: 'agent:1' })
  expect(stream.begin().map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
  expect(stream.begin()).toEqual([])
  const events = [
    ...stream.take({ model: 'real', ...say({ content: 'x' }, { finish_reason: 'stop' }) }),
    ...stream.end(),
  ]
  expect(events[0]?.sequence_number).toBe(2)
  expect(stream.response.model).toBe('agent:1')
})

test('a Response that is cancelled keeps what had come', () => {
  const stream = new ResponseStream(origin)
  stream.take(say({ content: 'He' }))
  expect(stream.cancel()).toMatchObject({
    status: 'cancelled',
    completed_at: null,
    output: [{ status: 'incomplete', content: [text('He')] }],
  })
  expect(stream.end()).toEqual([])
})

test('a Response echoes what was asked for, all keys in OpenAI’s order', () => {
  const asked = {
    model: 'm',
    instructions: 'i',
    temperature: 0.5,
    top_p: 0.25,
    max_output_tokens: 9,
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }],
    tool_choice: 'required',
    text: { format: { type: 'json_schema', name: 'n', schema: {} } },
    reasoning: { effort: 'low' },
    metadata: { a: 'b' },
    store: false,
    parallel_tool_calls: false,
    user: 'u',
    previous_response_id: 'resp_0',
    background: true,
  }
  const completion = { model: 'real', choices: [{ message: { content: 'Hey' }, finish_reason: 'stop' }] }
  const response = toResponse(completion, { ...origin, request: asked })
  expect(response).toMatchObject({
    ...asked,
    model: 'real',
    tools: [
      { type: 'function', description: null, name: 'f', parameters: { type: 'object' }, strict: false },
    ],
    text: {
      format: { type: 'json_schema', description: null, name: 'n', schema: {}, strict: false },
      verbosity: 'medium',
    },
    reasoning: { effort: 'low', summary: null },
  })
  expect(Object.keys(response).join()).toBe(
    'id,object,created_at,status,background,completed_at,error,frequency_penalty,incomplete_details,instructions,' +
      'max_output_tokens,max_tool_calls,model,output,parallel_tool_calls,presence_penalty,previous_response_id,' +
      'prompt_cache_key,prompt_cache_retention,reasoning,safety_identifier,service_tier,store,temperature,text,' +
      'tool_choice,tools,top_logprobs,top_p,truncation,usage,user,metadata',
  )
})

test('a completion without an answer is an error that says nothing of it', () => {
  for (const completion of [
    {},
    { choices: [] },
    { error: { message: 'sk-secret' } },
    { choices: [{ finish_reason: 'error' }] },
  ])
    expect(() => toResponse(completion, origin)).toThrow(
      expect.objectContaining({ code: 'provider_failed', message: expect.not.stringContaining('sk-') }),
    )
})
