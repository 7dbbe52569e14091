import { badRequest } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { seededRandom } from './stream-writer.ts'
import { countTokens } from './text.ts'
import { encodeLine, Float } from './wire.ts'

/** Answers `POST /v1/embeddings`: unit vectors that depend on the text alone, as floats or base64. */
export function createEmbeddings({ body }: Exchange): string {
  const inputs = inputsOf(body.input)
  const model = String(body.model)
  const natural = model.includes('large') ? 3072 : 1536
  const dimensions = Number(body.dimensions ?? natural)
  if (dimensions > natural) {
    const message = `Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${natural}.`
    throw badRequest(message, 'dimensions')
  }
  const data = inputs.map((input, index) => {
    const vector = embed(input, dimensions)
    const embedding = body.encoding_format === 'base64' ? toBase64(vector) : Array.from(vector, writeFloat)
    return { object: 'embedding', embedding, index }
  })
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0)
  return encodeLine({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

function inputsOf(input: unknown): string[] {
  if (typeof input === 'string' && input !== '') return [input]
  if (!Array.isArray(input) || input.length === 0) {
    throw badRequest("Invalid value for 'input': it must not be empty.", 'input')
  }
  if (typeof input[0] === 'number') return [JSON.stringify(input)]
  return input.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
}

function embed(text: string, dimensions: number): Float32Array {
  const seed = [...Buffer.from(text)].reduce((hash, byte) => Math.imul(hash ^ byte, 16_777_619), 0x811c9dc5)
  const random = seededRandom(seed)
  const raw = Array.from({ length: dimensions }, (_, at) => (at === dimensions - 1 ? -0 : random() - 0.5))
  const length = Math.hypot(...raw) || 1
  return Float32Array.from(raw, (value) => value / length)
}

/** The last number is `-0.0`, as OpenAI's sometimes are. */
const writeFloat = (value: number): number | Float => (Object.is(value, -0) ? new Float(value) : value)

function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}
