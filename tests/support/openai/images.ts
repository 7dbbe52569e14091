import { badRequest, modelError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { isUnknownModel } from './models.ts'
import { pixel } from './tools.ts'
import { encodePretty, nowSeconds } from './wire.ts'

/** Answers `POST /v1/images/generations` with as many one-pixel pictures as were asked for. */
export function createImages({ body, path }: Exchange): string {
  const model = String(body.model ?? 'dall-e-2')
  if (isUnknownModel(model)) throw modelError(model, path)
  if (typeof body.prompt !== 'string') {
    throw badRequest("Missing required parameter: 'prompt'.", 'prompt', 'missing_required_parameter')
  }
  const count = Number(body.n ?? 1)
  return encodePretty(model.startsWith('gpt-image') ? modern(body, count) : classic(body, count))
}

const repeat = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

function modern(body: Exchange['body'], count: number) {
  return {
    created: nowSeconds(),
    background: 'opaque',
    data: repeat(count, () => ({ b64_json: pixel })),
    output_format: body.output_format ?? 'png',
    quality: body.quality ?? 'high',
    size: body.size ?? '1024x1024',
    usage: {
      input_tokens: 10,
      input_tokens_details: { image_tokens: 0, text_tokens: 10 },
      output_tokens: 100,
      total_tokens: 110,
    },
  }
}

function classic(body: Exchange['body'], count: number) {
  const url = (index: number) => `https://images.invalid/${index}.png`
  const base64 = body.response_format === 'b64_json'
  const data = repeat(count, (index) => ({
    ...(base64 ? { b64_json: pixel } : { url: url(index) }),
    revised_prompt: body.prompt,
  }))
  return { created: nowSeconds(), data }
}
