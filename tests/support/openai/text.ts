import type { Body } from './types.ts'

/** What the server answers without a script to this last user input. */
export function echoOf(input: string): string {
  return input === '' ? 'Echo of nothing.' : `Echo: ${input}`
}

/** Cuts a text into deltas as a tokenizer would: words of up to 12 characters with the space before them. */
export function cutIntoDeltas(text: string | string[]): string[] {
  if (Array.isArray(text)) return text
  return text.match(/\s*[^\s]{1,12}|\s+/gu) ?? []
}

/** Counts tokens roughly: four bytes each. */
export function countTokens(value: unknown): number {
  if (value === undefined || value === null || value === '') return 0
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Math.ceil(Buffer.byteLength(text) / 4)
}

const asBody = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {})

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => String(asBody(part).text ?? '')).join('')
}

/** Finds the text of the last user turn in a request to any of the generating calls. */
export function lastUserInput(body: unknown): string {
  const { input, messages, prompt } = asBody(body)
  if (typeof input === 'string') return input
  if (prompt !== undefined) return Array.isArray(prompt) ? String(prompt[0] ?? '') : String(prompt)
  const turns = Array.isArray(input) ? input : Array.isArray(messages) ? messages : []
  const last = turns.map(asBody).findLast((turn) => turn.role === 'user')
  return textOf(last?.content)
}

/** The answer without a script: the echo, as JSON where the request asks for JSON. */
export function defaultText(body: Body): string {
  const format = asBody(asBody(body.text).format ?? body.response_format).type
  const echo = echoOf(lastUserInput(body))
  return typeof format === 'string' && format.startsWith('json') ? JSON.stringify({ echo }) : echo
}
