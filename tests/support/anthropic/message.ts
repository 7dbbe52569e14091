import { makeShortId } from '../openai/wire.ts'
import type { Body, Script, ScriptBlock } from './types.ts'

const joined = (text: string | string[]): string => (Array.isArray(text) ? text.join('') : text)

/** What a message is made of, before it is told whole or in a stream. */
export type Made = { head: Body; blocks: { block: Body; deltas: Body[] }[]; end: Body; usage: Usage }
type Usage = { atStart: Body; atEnd: Body }

/** In pieces as a model makes them: words with the space before them. */
function piecesOf(text: string | string[]): string[] {
  return Array.isArray(text) ? text : (text.match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? [])
}

function toBlock(block: ScriptBlock): { block: Body; deltas: Body[] } {
  switch (block.type) {
    case 'text':
      return {
        block: { type: 'text', text: joined(block.text), citations: null },
        deltas: piecesOf(block.text).map((text) => ({ type: 'text_delta', text })),
      }
    case 'thinking': {
      const { signature = `sig-${makeShortId('', 60)}` } = block
      const thoughts = piecesOf(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking }))
      return {
        block: { type: 'thinking', thinking: joined(block.thinking), signature },
        deltas: [...thoughts, { type: 'signature_delta', signature }],
      }
    }
    case 'redacted_thinking':
      return { block: { type: 'redacted_thinking', data: block.data }, deltas: [] }
    case 'tool_use': {
      const { name, input, id = makeShortId('toolu_01', 22) } = block
      return {
        block: { type: 'tool_use', id, name, input, caller: { type: 'direct' } },
        deltas: inputDeltas(input),
      }
    }
    case 'raw':
      return { block: block.block, deltas: block.deltas ?? [] }
  }
}

/** Anthropic writes the input of a call with spaces, and begins it with an empty piece. */
function inputDeltas(input: Body): Body[] {
  const json = Object.keys(input).length === 0 ? '' : JSON.stringify(input).replace('":', '": ')
  const pieces = json.match(/[\s\S]{1,9}/g) ?? []
  return ['', ...pieces].map((partial_json) => ({ type: 'input_json_delta', partial_json }))
}

/** Makes the message that a script describes, for a request. */
export function makeMessage(body: Body, script: Script): Made {
  const blocks = (script.blocks ?? answerTo(body)).map(toBlock)
  const calls = blocks.some(({ block }) => block.type === 'tool_use')
  const reason = script.refusal ? 'refusal' : (script.stopReason ?? (calls ? 'tool_use' : 'end_turn'))
  const details = script.refusal ? { type: 'refusal', category: 'cyber', explanation: script.refusal } : null
  return {
    head: { id: makeShortId('msg_01', 22), type: 'message', role: 'assistant', model: body.model },
    blocks,
    end: { stop_reason: reason, stop_sequence: script.stopSequence ?? null, stop_details: details },
    usage: makeUsage(script.usage ?? {}),
  }
}

function makeUsage(usage: NonNullable<Script['usage']>): Usage {
  const { input = 25, cacheRead = 0, cacheWritten = 0, output = 15, thinking = 0 } = usage
  const atStart = {
    input_tokens: input,
    cache_creation_input_tokens: cacheWritten,
    cache_read_input_tokens: cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: cacheWritten, ephemeral_1h_input_tokens: 0 },
    output_tokens: 1,
    service_tier: 'standard',
  }
  return { atStart, atEnd: { output_tokens: output, output_tokens_details: { thinking_tokens: thinking } } }
}

/** Without a script: what a format or a forced tool demands, else an echo of the last thing that was said. */
function answerTo(body: Body): ScriptBlock[] {
  const choice = body.tool_choice as Body | undefined
  const tools = (body.tools ?? []) as Body[]
  if (choice?.type === 'any' || choice?.type === 'tool') {
    return [{ type: 'tool_use', name: String(choice.name ?? tools[0]?.name), input: {} }]
  }
  const format = (body.output_config as Body | undefined)?.format
  if (format) return [{ type: 'text', text: '{"answer":42}' }]
  return [{ type: 'text', text: `You said: ${lastWords(body)}` }]
}

function lastWords(body: Body): string {
  const last = (body.messages as Body[]).at(-1)?.content
  if (typeof last === 'string') return last
  const texts = (last as Body[]).flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
  return texts.at(-1) ?? 'nothing in words'
}

/** The message as one JSON object. */
export function wholeMessage({ head, blocks, end, usage }: Made): Body {
  return {
    ...head,
    content: blocks.map(({ block }) => block),
    ...end,
    container: null,
    usage: { ...usage.atStart, ...usage.atEnd },
  }
}

const emptied: Record<string, Body> = {
  text: { text: '' },
  thinking: { thinking: '', signature: '' },
  tool_use: { input: {} },
}

/** The message as events, in the order in which Anthropic sends them. */
export function eventsOf({ head, blocks, end, usage }: Made): Body[] {
  const start = {
    ...head,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: usage.atStart,
  }
  const grown = blocks.flatMap(({ block, deltas }, index) => [
    {
      type: 'content_block_start',
      index,
      content_block: { ...block, ...emptied[String(block.type)] },
    },
    ...(index === 0 ? [{ type: 'ping' }] : []),
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ])
  return [
    { type: 'message_start', message: start },
    ...grown,
    { type: 'message_delta', delta: end, usage: usage.atEnd },
    { type: 'message_stop' },
  ]
}

/** An event as it is on the wire: named, and named again in its data. */
export function frame(event: Body): string {
  return `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`
}
