import { expect, test } from 'vitest'
import { fileIdsIn } from '../../lib/gateway/file-ids'

test.each([
  ['a chat', { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] }],
  ['a Response', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }],
  ['a picture', { input: [{ content: [{ type: 'input_image', file_id: 'file-1', detail: 'low' }] }] }],
  ['a picture of a screen', { input: [{ output: { type: 'computer_screenshot', file_id: 'file-1' } }] }],
  ['what a tool put out', { input: [{ type: 'function_call_output', output: [{ file_id: 'file-1' }] }] }],
  [
    'a place for code',
    { tools: [{ type: 'code_interpreter', container: { file_ids: ['file-1', 'file-1'] } }] },
  ],
  ['a mask', { tools: [{ type: 'image_generation', input_image_mask: { file_id: 'file-1' } }] }],
  ['a variable of a prompt', { prompt: { id: 'p', variables: { metadata: { file_id: 'file-1' } } } }],
  ['a field that nobody knows yet', { new: { things: [[{ file_id: 'file-1' }]] } }],
])('%s names its files', (_, body) => {
  expect(fileIdsIn(body)).toEqual(['file-1'])
})

test('what only speaks of files names none', () => {
  const annotations = [
    { type: 'file_citation', file_id: 'file-1' },
    { type: 'container_file_citation', container_id: 'c', file_id: 'file-1' },
    { type: 'file_path', file_id: 'file-1' },
  ]
  const properties = { file_id: { type: 'string' }, file_ids: { type: 'array' } }
  expect(
    fileIdsIn({
      metadata: { file_id: 'file-1' },
      input: [
        { type: 'message', content: [{ type: 'output_text', text: '{"file_id":"file-1"}', annotations }] },
        { type: 'file_search_call', results: [{ file_id: 'file-1', text: 'x' }] },
        { type: 'function_call', arguments: '{"file_id":"file-1"}' },
      ],
      tools: [{ type: 'function', parameters: { properties, required: ['file_id'] } }],
    }),
  ).toEqual([])
})

test('a body that is deeper than calls can be is looked through', () => {
  let body: Record<string, unknown> = { file_id: 'file-1' }
  for (let depth = 0; depth < 100_000; depth++) body = { more: body }
  expect(fileIdsIn(body)).toEqual(['file-1'])
})
