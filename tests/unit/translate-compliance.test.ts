import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { JsonObject } from '../../lib/gateway/translate/json'
import { ResponseResource, StreamEvent } from '../support/open-responses'
import { type OpenAIServer, type Script, startOpenAI } from '../support/openai'
import { startTranslator, type Translator } from '../support/translator'

// What the compliance suite of Open Responses asks of a server, asked of Responses that were made of chat completions.
let upstream: OpenAIServer
let translator: Translator
beforeAll(async () => {
  upstream = await startOpenAI()
  translator = await startTranslator(upstream.baseUrl)
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await translator.close()
  await upstream.close()
})

const message = (role: string, content: unknown) => ({ type: 'message', role, content })
const user = (content: unknown) => message('user', content)
const place = { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] }
const tools = [
  { type: 'function', name: 'get_weather', description: 'The weather of a place', parameters: place },
]
const call = { type: 'function' as const, name: 'get_weather', arguments: { location: 'San Francisco' } }
const format = { type: 'json_schema', name: 'place', schema: place, strict: true }
const image = { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' }

type Case = { body: JsonObject; script?: Script; output?: string; status?: string }

const cases: Record<string, Case> = {
  'a text': { body: { input: [user('Say hello in three words.')] } },
  'a system prompt': { body: { input: [message('system', 'Be a pirate.'), user('Say hello.')] } },
  'instructions and settings': {
    body: {
      input: 'Hi',
      instructions: 'Be brief.',
      temperature: 0.5,
      max_output_tokens: 64,
      metadata: { a: 'b' },
    },
  },
  'a function call': {
    body: { input: [user('Weather?')], tools },
    script: { items: [call] },
    output: 'function_call',
  },
  'a choice of tools': {
    body: {
      input: [user('Weather?')],
      tools,
      tool_choice: {
        type: 'allowed_tools',
        mode: 'required',
        tools: [{ type: 'function', name: 'get_weather' }],
      },
    },
    script: { items: [call] },
    output: 'function_call',
  },
  'an image': { body: { input: [user([{ type: 'input_text', text: 'What is it?' }, image])] } },
  'several turns': {
    body: { input: [user('I am Alice.'), message('assistant', 'Hello Alice!'), user('Who am I?')] },
  },
  'a structured answer': {
    body: { input: 'Where?', text: { format } },
    script: { text: '{"location":"Lima"}' },
  },
  thoughts: {
    body: { input: 'Why?', reasoning: { effort: 'low', summary: 'auto' } },
    script: { reasoning: 'Because.', text: 'So.' },
    output: 'reasoning',
  },
  'a refusal': { body: { input: 'x' }, script: { refusal: 'No.' } },
  probabilities: { body: { input: 'x', top_logprobs: 2 } },
  'an answer that is cut short': {
    body: { input: 'x' },
    script: { text: 'One two three', end: 'incomplete', after: 1 },
    status: 'incomplete',
  },
}

function ask(body: JsonObject): Promise<Response> {
  return fetch(`${translator.baseUrl}/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'gpt-5-mini', ...body }),
  })
}

function check(response: unknown, { output = 'message', status = 'completed' }: Case): void {
  expect(ResponseResource.safeParse(response).error?.issues ?? []).toEqual([])
  expect(response).toMatchObject({ status, usage: expect.anything() })
  expect((response as { output: JsonObject[] }).output.map(({ type }) => type)).toContain(output)
}

test.each(Object.entries(cases))('%s, whole', async (_, asked) => {
  if (asked.script) upstream.script(asked.script)
  check(await (await ask(asked.body)).json(), asked)
})

test.each(Object.entries(cases))('%s, streamed', async (_, asked) => {
  if (asked.script) upstream.script(asked.script)
  const text = await (await ask({ ...asked.body, stream: true })).text()
  const events = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)))
  for (const event of events) expect(StreamEvent.safeParse(event).error?.issues ?? []).toEqual([])
  check(events.at(-1)?.response, asked)
  const types = events.map(({ type }) => type)
  if (asked.output === 'function_call')
    expect(types).toEqual(
      expect.arrayContaining([
        'response.function_call_arguments.delta',
        'response.function_call_arguments.done',
      ]),
    )
})
