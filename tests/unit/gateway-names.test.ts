import { expect, test } from 'vitest'
import { namesIn } from '@/lib/gateway/names'

type Body = Record<string, unknown>

/** What a call for a Response names, as `Container cntr_1 (tools)`. */
const named = (body: Body, path: Parameters<typeof namesIn>[0] = '/responses') =>
  namesIn(path, body).map(({ kind, id, field }) => `${kind} ${id} (${field})`)

const shell = (environment: object) => ({ type: 'shell', environment })
const search = { type: 'file_search', vector_store_ids: ['vs_1', 'vs_2', 'vs_1'] }
const stores = (field: string) => [`Vector store vs_1 (${field})`, `Vector store vs_2 (${field})`]

test.each<[string, Body, string[]]>([
  ['a conversation', { conversation: 'conv_1' }, ['Conversation conv_1 (conversation)']],
  ['a conversation as an object', { conversation: { id: 'conv_1' } }, ['Conversation conv_1 (conversation)']],
  ['a stored prompt', { prompt: { id: 'pmpt_1', version: '2' } }, ['Prompt pmpt_1 (prompt)']],
  [
    'a response to compare with',
    { prompt_cache_options: { mode: 'explicit', comparison_response_id: 'resp_1' } },
    ['Response resp_1 (prompt_cache_options)'],
  ],
  ['stores to search', { tools: [search] }, stores('tools')],
  ['tools in a group', { tools: [{ type: 'namespace', tools: [search] }] }, stores('tools')],
  ['tools that come later', { input: [{ type: 'additional_tools', tools: [search] }] }, stores('input')],
  ['tools that were found', { input: [{ type: 'tool_search_output', tools: [search] }] }, stores('input')],
  [
    'a place to run code',
    { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] },
    ['Container cntr_1 (tools)'],
  ],
  [
    'a place of commands',
    { tools: [shell({ type: 'container_reference', container_id: 'cntr_1' })] },
    ['Container cntr_1 (tools)'],
  ],
  [
    'a place where code was run',
    { input: [{ type: 'code_interpreter_call', id: 'ci_1', container_id: 'cntr_1', code: '1' }] },
    ['Container cntr_1 (input)'],
  ],
  [
    'a place where commands were run',
    { input: [{ type: 'shell_call', environment: { type: 'container_reference', container_id: 'cntr_1' } }] },
    ['Container cntr_1 (input)'],
  ],
  [
    'a skill',
    {
      tools: [shell({ type: 'container_auto', skills: [{ type: 'skill_reference', skill_id: 'skill_1' }] })],
    },
    ['Skill skill_1 (tools)'],
  ],
  ['a tunnel', { tools: [{ type: 'mcp', tunnel_id: 'tunnel_1' }] }, ['Tunnel tunnel_1 (tools)']],
  ['an item', { input: [{ type: 'item_reference', id: 'msg_1' }] }, ['Item msg_1 (input)']],
  ['an item without a type', { input: [{ id: 'msg_1' }] }, ['Item msg_1 (input)']],
  ['an item whose fields are null', { input: [{ id: 'm', type: null, role: null }] }, ['Item m (input)']],
  ['a thought that is not there', { input: [{ type: 'reasoning', id: 'rs_1' }] }, ['Item rs_1 (input)']],
  [
    'a thought that is empty',
    { input: [{ type: 'reasoning', id: 'rs_1', encrypted_content: '' }] },
    ['Item rs_1 (input)'],
  ],
  [
    'a picture that is empty',
    { input: [{ type: 'image_generation_call', id: 'ig_1', result: '' }] },
    ['Item ig_1 (input)'],
  ],
  ['a field that nobody knows yet', { new: [[{ container_id: 'cntr_1' }]] }, ['Container cntr_1 (new)']],
])('%s is named', (_, body, names) => {
  expect(named(body).sort()).toEqual(names)
  expect(named(body, '/responses/compact').sort()).toEqual(names)
  expect(named(body, '/chat/completions')).toEqual([])
})

test('a chat names what a model has said aloud, and nothing else', () => {
  const messages = [{ role: 'assistant', audio: { id: 'audio_1' } }, { role: 'user', audio: 'x' }, null]
  expect(named({ messages }, '/chat/completions')).toEqual(['Audio audio_1 (messages)'])
  expect(named({ messages })).toEqual([])
  expect(named({ prompt: 'Once' }, '/completions')).toEqual([])
})

test('what brings its content along, and what the caller calls so, names nothing', () => {
  const free = { container_id: 'c', skill_id: 's', container: 'c', vector_store_ids: ['v'] }
  const parameters = { type: 'object', properties: { container_id: { const: 'c' } }, default: free }
  expect(
    named({
      metadata: free,
      conversation: null,
      prompt: null,
      prompt_cache_options: { comparison_response_id: null },
      instructions: JSON.stringify(free),
      text: { format: { type: 'json_schema', name: 'f', schema: { default: free } } },
      tools: [
        { type: 'function', name: 'f', parameters, output_schema: { examples: [free] } },
        { type: 'mcp', server_url: 'https://x', headers: { container: 'c' } },
        { type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-1'] } },
        shell({ type: 'container_auto', skills: [{ type: 'inline', name: 's' }] }),
      ],
      input: [
        { role: 'user', content: JSON.stringify(free) },
        { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] },
        { role: 'assistant', content: [{ annotations: [{ type: 'container_file_citation', ...free }] }] },
        { type: 'reasoning', id: 'rs_1', encrypted_content: 'x' },
        { type: 'image_generation_call', id: 'ig_1', result: 'x' },
        { type: 'function_call', id: 'fc_1', arguments: JSON.stringify(free) },
        { type: 'tool_search_call', id: 'ts_1', arguments: free },
        { type: 'mcp_list_tools', id: 'mcpl_1', tools: [{ name: 'f', input_schema: { default: free } }] },
        { type: 'local_shell_call', action: { env: { container_id: 'c' } } },
      ],
    }),
  ).toEqual([])
})

test('a body that is deeper than calls can be is looked through', () => {
  let tool: Body = { container_id: 'cntr_1' }
  for (let depth = 0; depth < 100_000; depth++) tool = { more: tool }
  expect(named({ tools: [tool] })).toEqual(['Container cntr_1 (tools)'])
})
