// What OpenAI's servers write for each token, in the dialects that are measured.

/** @typedef {{ begin: string, token: (index: number) => string, end: (tokens: number) => string }} Dialect */

const padding = 'x7Kq2mN9pL4wR8tY'

/** @type {(type: string, fields: string, number: number) => string} */
function write(type, fields, number) {
  return `event: ${type}\ndata: {"type":"${type}","sequence_number":${number},${fields}}\n\n`
}

const place = '"item_id":"msg_68b0a1c2d3e4f5061728394a5b6c7d8e","output_index":0,"content_index":0'

/** @type {Dialect} */
export const responses = {
  begin: write(
    'response.created',
    '"response":{"id":"resp_1","status":"in_progress","output":[],"usage":null}',
    0,
  ),
  token: (index) => {
    const fields = `${place},"delta":" word","logprobs":[],"obfuscation":"${padding.slice(index % 8)}"`
    return write('response.output_text.delta', fields, index + 1)
  },
  end: (tokens) => {
    const usage = `{"input_tokens":10,"output_tokens":${tokens},"total_tokens":${tokens + 10}}`
    const end = `"response":{"id":"resp_1","status":"completed","output":[],"usage":${usage}}`
    return write('response.completed', end, tokens + 1)
  },
}

const id = '"id":"chatcmpl-BQ2vR7c1mWkY4tX9nZsLd3fHjA5eG"'
const named = `${id},"object":"chat.completion.chunk","created":1795993565,"model":"gpt-5-mini-2025-08-07"`
const head = `${named},"service_tier":"default","system_fingerprint":"fp_4c2851f862"`

/** @type {(delta: string, finish: string, index: number) => string} */
function writeChunk(delta, finish, index) {
  const choice = `{"index":0,"delta":{${delta}},"logprobs":null,"finish_reason":${finish}}`
  return `data: {${head},"choices":[${choice}],"obfuscation":"${padding.slice(index % 8)}"}\n\n`
}

/** @type {(tokens: number) => string} */
const usageOf = (tokens) =>
  `{"prompt_tokens":10,"completion_tokens":${tokens},"total_tokens":${tokens + 10},"prompt_tokens_details":{"cached_tokens":0}}`

/** @type {Dialect} */
export const completions = {
  begin: writeChunk('"role":"assistant","content":"","refusal":null', 'null', 0),
  token: (index) => writeChunk('"content":" word"', 'null', index),
  end: (tokens) =>
    `${writeChunk('', '"stop"', 0)}data: {${head},"choices":[],"usage":${usageOf(tokens)}}\n\ndata: [DONE]\n\n`,
}

/** An answer that is no stream. @param {number} tokens */
export function wholeCompletion(tokens) {
  const content = ' word'.repeat(tokens)
  const message = `{"role":"assistant","content":"${content}","refusal":null,"annotations":[]}`
  const choice = `{"index":0,"message":${message},"logprobs":null,"finish_reason":"stop"}`
  const named = `${id},"object":"chat.completion","created":1795993565,"model":"gpt-5-mini-2025-08-07"`
  return `{${named},"choices":[${choice}],"usage":${usageOf(tokens)},"service_tier":"default"}`
}
