import { describe, expect, test } from 'vitest'
import { AppError } from '../../lib/errors'
import type { JsonObject } from '../../lib/gateway/translate/json'
import { toChatRequest } from '../../lib/gateway/translate/request'

const ask = (body: JsonObject, earlier: JsonObject[] = [], kept?: Map<string, JsonObject>) =>
  toChatRequest({ model: 'm', input: 'Hi', ...body }, earlier, kept)
const messagesFor = (input: unknown, more: JsonObject = {}, earlier: JsonObject[] = []) =>
  ask({ input, ...more }, earlier).messages

const user = (content: unknown) => ({ role: 'user', content })
const call = (id: string, more: JsonObject = {}) => ({
  type: 'function_call',
  call_id: id,
  name: 'look_up',
  arguments: `{"of":"${id}"}`,
  ...more,
})
const output = (id: string, said: unknown) => ({ type: 'function_call_output', call_id: id, output: said })
const chatCall = (id: string) => ({
  id,
  type: 'function',
  function: { name: 'look_up', arguments: `{"of":"${id}"}` },
})
const toolMessage = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content })
const assistant = (content: string | null, more: JsonObject = {}) => ({ role: 'assistant', content, ...more })

describe('what is said', () => {
  test('a string is the message of the user', () => {
    expect(ask({})).toEqual({ model: 'm', messages: [user('Hi')] })
  })

  test('instructions come first, before all that was said earlier, and only those of this request', () => {
    const earlier = [
      user('One'),
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Two' }] },
    ]
    expect(messagesFor('Three', { instructions: 'Be brief.' }, earlier)).toEqual([
      { role: 'system', content: 'Be brief.' },
      user('One'),
      assistant('Two'),
      user('Three'),
    ])
    expect(messagesFor('Three', {}, earlier)).toHaveLength(3)
  })

  test('messages need no type, and developers speak as the system', () => {
    const items = [
      { role: 'developer', content: 'A' },
      { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'B' }] },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'C' },
          { type: 'input_text', text: 'D' },
        ],
      },
    ]
    expect(messagesFor(items)).toEqual([
      { role: 'system', content: 'A' },
      { role: 'system', content: 'B' },
      user('C\n\nD'),
    ])
  })

  test('images, files and sounds go along in their place', () => {
    const content = [
      { type: 'input_text', text: 'See:' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
      { type: 'input_image', image_url: 'https://example.com/a.png', detail: null },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
      { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
    ]
    expect(messagesFor([user(content)])).toEqual([
      user([
        { type: 'text', text: 'See:' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      ]),
    ])
  })

  test('what a model refused to say is what it said', () => {
    const items = [
      user('x'),
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      user('y'),
    ]
    expect(messagesFor(items)).toEqual([user('x'), assistant('No.'), user('y')])
  })
})

describe('one turn of the model is one message', () => {
  test('with what it thought, said and called', () => {
    const items = [
      user('x'),
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'message', role: 'assistant', content: 'Let me see.' },
      call('a'),
      call('b'),
      output('a', 'A'),
      output('b', 'B'),
      { role: 'assistant', content: 'Done.' },
      user('y'),
    ]
    expect(messagesFor(items)).toEqual([
      user('x'),
      assistant('Let me see.', { reasoning_content: 'Hm.', tool_calls: [chatCall('a'), chatCall('b')] }),
      toolMessage('a', 'A'),
      toolMessage('b', 'B'),
      assistant('Done.'),
      user('y'),
    ])
  })

  test('and each call after an answer is another turn, also where ids are used again', () => {
    const items = [user('x'), call('a'), output('a', '1'), call('a'), output('a', '2')]
    expect(messagesFor(items)).toEqual([
      user('x'),
      assistant(null, { tool_calls: [chatCall('a')] }),
      toolMessage('a', '1'),
      assistant(null, { tool_calls: [chatCall('a')] }),
      toolMessage('a', '2'),
    ])
  })

  test('and what is said or called after all answers is another turn', () => {
    const items = [user('x'), call('a'), output('a', 'A'), call('b'), output('b', 'B'), assistant('Done.')]
    expect(messagesFor(items)).toEqual([
      user('x'),
      assistant(null, { tool_calls: [chatCall('a')] }),
      toolMessage('a', 'A'),
      assistant(null, { tool_calls: [chatCall('b')] }),
      toolMessage('b', 'B'),
      assistant('Done.'),
    ])
  })

  test('and all that is said between a call and its answer is one message, as are two texts without a call not', () => {
    const said = [assistant('One.'), assistant('Two.')]
    expect(messagesFor([user('x'), call('a'), ...said, output('a', 'A')])).toEqual([
      user('x'),
      assistant('One.\n\nTwo.', { tool_calls: [chatCall('a')] }),
      toolMessage('a', 'A'),
    ])
    expect(messagesFor([user('x'), ...said])).toEqual([user('x'), ...said])
  })

  test('outputs stand right behind their calls, whatever came in between', () => {
    const items = [
      user('x'),
      call('a'),
      call('b'),
      { role: 'assistant', content: 'Wait.' },
      user('y'),
      output('b', 'B'),
      output('a', 'A'),
    ]
    expect(messagesFor(items)).toEqual([
      user('x'),
      assistant('Wait.', { tool_calls: [chatCall('a'), chatCall('b')] }),
      toolMessage('a', 'A'),
      toolMessage('b', 'B'),
      user('y'),
    ])
  })

  test('thoughts in the model’s own words go before summaries, and those without words are left out', () => {
    const thought = (more: JsonObject) => [
      { type: 'reasoning', summary: [], ...more },
      { role: 'assistant', content: 'So.' },
    ]
    const own = {
      content: [{ type: 'reasoning_text', text: 'own' }],
      summary: [{ type: 'summary_text', text: 'short' }],
    }
    expect(messagesFor(thought(own))).toEqual([assistant('So.', { reasoning_content: 'own' })])
    expect(messagesFor(thought({ encrypted_content: 'gAAA' }))).toEqual([assistant('So.')])
  })

  test('thoughts alone make no message', () => {
    const items = [
      user('x'),
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] },
      user('y'),
    ]
    expect(messagesFor(items)).toEqual([user('x'), user('y')])
  })

  test('a call that was cut off is not told, unless it was answered', () => {
    const cut = call('a', { status: 'incomplete' })
    expect(messagesFor([user('x'), cut, user('y')])).toEqual([user('x'), user('y')])
    expect(messagesFor([user('x'), cut, output('a', 'A')])).toHaveLength(3)
  })

  test('images of a tool come after its texts, as the user’s', () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==' }
    const items = [
      user('x'),
      call('a'),
      call('b'),
      output('a', [image]),
      output('b', [{ type: 'input_text', text: 'B' }, image]),
    ]
    expect(messagesFor(items)).toEqual([
      user('x'),
      assistant(null, { tool_calls: [chatCall('a'), chatCall('b')] }),
      toolMessage('a', 'The output comes with the next message.'),
      toolMessage('b', 'B'),
      user([
        { type: 'text', text: 'Output of a:' },
        { type: 'image_url', image_url: { url: image.image_url } },
        { type: 'text', text: 'Output of b:' },
        { type: 'image_url', image_url: { url: image.image_url } },
      ]),
    ])
  })

  test('what hosted tools did elsewhere is left out', () => {
    const items = [
      user('x'),
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      { role: 'assistant', content: 'So.' },
    ]
    expect(messagesFor(items)).toEqual([user('x'), assistant('So.')])
  })

  test('an item can be named that is kept', () => {
    const kept = new Map<string, JsonObject>([['fc_1', call('a')]])
    const body = { input: [user('x'), { type: 'item_reference', id: 'fc_1' }, output('a', 'A')] }
    expect(ask(body, [], kept).messages).toHaveLength(3)
    expect(() => ask(body)).toThrow(AppError)
  })

  test('a custom tool was called as the function that it is', () => {
    const items = [
      user('x'),
      { type: 'custom_tool_call', call_id: 'a', name: 'patch', input: 'a "b"' },
      { type: 'custom_tool_call_output', call_id: 'a', output: 'ok' },
    ]
    expect(messagesFor(items)).toEqual([
      user('x'),
      assistant(null, {
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'patch', arguments: '{"input":"a \\"b\\""}' } },
        ],
      }),
      toolMessage('a', 'ok'),
    ])
  })
})
