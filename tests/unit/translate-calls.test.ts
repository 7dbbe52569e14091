import { describe, expect, test } from 'vitest'
import { ResponseStream } from '../../lib/gateway/translate/stream'
import { deltas, finish, type Heard, hear, origin, piece, say } from '../support/translated'

describe('calls', () => {
  const called = ({ output }: Heard) =>
    output.map(({ call_id, name, arguments: args, input }) => [call_id, name, args ?? input])

  test('interleaved by their index come apart', () => {
    const heard = hear([
      piece({ index: 0, id: 'a', function: { name: 'f', arguments: '' } }),
      piece({ index: 1, id: 'b', function: { name: 'g', arguments: '{"x"' } }),
      say({
        tool_calls: [
          { index: 1, function: { arguments: ':1}' } },
          { index: 0, function: { arguments: '{}' } },
        ],
      }),
      finish('tool_calls'),
    ])
    expect(called(heard)).toEqual([
      ['a', 'f', '{}'],
      ['b', 'g', '{"x":1}'],
    ])
    expect(heard.output).toMatchObject([
      { type: 'function_call', status: 'completed' },
      { status: 'completed' },
    ])
    expect(
      heard.events
        .filter(({ type }) => type.endsWith('arguments.delta'))
        .map(({ output_index }) => output_index),
    ).toEqual([1, 1, 0])
  })

  test('are told when their id has come', () => {
    const early = piece({ index: 0, function: { name: 'f', arguments: '{"a' } })
    const stream = new ResponseStream(origin)
    expect(stream.take(early).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
    const [added, first] = stream.take(piece({ index: 0, id: 'a', function: { arguments: '":1}' } }))
    expect(added).toMatchObject({
      type: 'response.output_item.added',
      item: { call_id: 'a', name: 'f', arguments: '' },
    })
    expect(first).toMatchObject({ delta: '{"a":1}' })
  })

  test('without an id get one at the end', () => {
    const heard = hear([piece({ index: 0, function: { name: 'f', arguments: '{}' } }), finish('tool_calls')])
    expect(called(heard)).toEqual([[expect.stringMatching(/^call_[0-9a-f]{48}$/), 'f', '{}']])
  })

  test.each([
    [
      'that are whole, numbered or not',
      [
        piece({ id: 'a', function: { name: 'f', arguments: '{"n":1}' } }),
        piece({ id: 'b', function: { name: 'f', arguments: '{"n":2}' } }),
      ],
    ],
    [
      'that all have the index 0',
      [
        piece({ index: 0, id: 'a', function: { name: 'f', arguments: '{"n":1}' } }),
        piece({ index: 0, id: 'b', function: { name: 'f', arguments: '{"n":2}' } }),
      ],
    ],
    [
      'whose arguments are objects',
      [
        say({
          tool_calls: [
            { id: 'a', function: { name: 'f', arguments: { n: 1 } } },
            { id: 'b', function: { name: 'f', arguments: { n: 2 } } },
          ],
        }),
      ],
    ],
    [
      'whose name and id are said again with each piece',
      [
        piece({ index: 0, id: 'a', function: { name: 'f', arguments: '{"n"' } }),
        piece({ index: 0, id: 'a', function: { name: 'f', arguments: ':1}' } }),
        piece({ index: 1, id: 'b', function: { name: 'f', arguments: '{"n"' } }),
        piece({ index: 1, id: 'b', function: { name: 'f', arguments: ':2}' } }),
      ],
    ],
    [
      'whose pieces have ids of their own',
      [
        piece({ index: 0, id: 'a', function: { name: 'f', arguments: '{"n"' } }),
        piece({ index: 0, id: 'a2', function: { name: '', arguments: ':1}' } }),
        piece({ index: 1, id: 'b', function: { name: 'f', arguments: '{"n":2}' } }),
      ],
    ],
    [
      'whose pieces are named by their ids alone',
      [
        piece({ id: 'a', function: { name: 'f', arguments: '{"n"' } }),
        piece({ id: 'b', function: { name: 'f', arguments: '{"n"' } }),
        piece({ id: 'a', function: { arguments: ':1}' } }),
        piece({ id: 'b', function: { arguments: ':2}' } }),
      ],
    ],
    [
      'whose later pieces say nothing but arguments',
      [
        piece({ id: 'a', function: { name: 'f', arguments: '{"n"' } }),
        piece({ function: { arguments: ':1}' } }),
        piece({ id: 'b', function: { name: 'f', arguments: '{"n":2}' } }),
      ],
    ],
  ])('%s are told apart', (_, chunks) => {
    expect(called(hear([...chunks, finish('tool_calls')]))).toEqual([
      ['a', 'f', '{"n":1}'],
      ['b', 'f', '{"n":2}'],
    ])
  })

  test('of the same function without ids are told apart where each is whole', () => {
    const heard = hear([
      piece({ index: 0, function: { name: 'f', arguments: '{"n":1}' } }),
      piece({ index: 0, function: { name: 'f', arguments: '{"n":2}' } }),
      finish('tool_calls'),
    ])
    expect(heard.output.map(({ arguments: args }) => args)).toEqual(['{"n":1}', '{"n":2}'])
  })

  test('of before there were tools are calls, too', () => {
    const heard = hear([
      say({ function_call: { name: 'f', arguments: '{"n"' } }),
      say({ function_call: { arguments: ':1}' } }),
      finish('function_call'),
    ])
    expect(called(heard)).toEqual([[expect.any(String), 'f', '{"n":1}']])
  })

  test('with no arguments at all have an empty object', () => {
    const heard = hear([
      piece({ index: 0, id: 'a', function: { name: 'f', arguments: '' } }),
      finish('tool_calls'),
    ])
    expect(called(heard)).toEqual([['a', 'f', '{}']])
    expect(deltas(heard.events)).toEqual(['{}'])
  })

  test('of a custom tool give its input as it is meant', () => {
    const heard = hear([
      piece({ index: 0, id: 'a', function: { name: 'patch', arguments: '{"input":"line\\n' } }),
      piece({ index: 0, function: { arguments: '\\"two\\""}' } }),
      finish('tool_calls'),
    ])
    expect(called(heard)).toEqual([['a', 'patch', 'line\n"two"']])
    expect(heard.output).toMatchObject([
      { type: 'custom_tool_call', id: expect.stringMatching(/^ctc_/), status: 'completed' },
    ])
    expect(deltas(heard.events)).toEqual(['line\n"two"'])
    expect(heard.types).toContain('custom_tool_call_input.done')
  })

  test('of a custom tool that the server knows come as they are written', () => {
    const heard = hear([
      piece({ index: 0, id: 'a', type: 'custom', custom: { name: 'patch', input: 'x' } }),
      piece({ index: 0, custom: { input: '{"input":"y"}' } }),
      finish('tool_calls'),
    ])
    expect(called(heard)).toEqual([['a', 'patch', 'x{"input":"y"}']])
    expect(deltas(heard.events)).toEqual(['x', '{"input":"y"}'])
  })

  test('that are cut off are incomplete, and what came before them is not', () => {
    const { output } = hear([
      say({ content: 'A' }),
      piece({ index: 0, id: 'a', function: { name: 'f', arguments: '{' } }),
      finish('length'),
    ])
    expect(output).toMatchObject([
      { type: 'message', status: 'completed' },
      { type: 'function_call', status: 'incomplete' },
    ])
  })
})
