import { type JsonObject, optional, pathOf, refuse, required, type Spot, spotsIn } from './json'

/** One part of a message as chat completions take it. */
export type ChatPart = JsonObject & { type: 'text' | 'image_url' | 'file' | 'input_audio' }

/** The parts of `content` or `output`: a string is one text. Throws invalid_input. */
export function readParts(spot: Spot, name: string): ChatPart[] {
  const content = spot.value[name]
  if (typeof content === 'string') return [textPart(content)]
  return spotsIn(required(spot, name, 'list'), pathOf(spot, name)).map(readPart)
}

function textPart(text: string): ChatPart {
  return { type: 'text', text }
}

function readPart(spot: Spot): ChatPart {
  const type = required(spot, 'type', 'string')
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return textPart(required(spot, 'text', 'string'))
    case 'refusal':
      return textPart(required(spot, 'refusal', 'string'))
    case 'input_image':
      return imagePart(spot)
    case 'input_file':
      return filePart(spot)
    case 'input_audio':
      return { type, input_audio: required(spot, 'input_audio', 'object') }
    default: {
      const path = pathOf(spot, 'type')
      throw refuse(path, 'invalid_value', `'${path}' is no kind of content: ${type.slice(0, 60)}.`)
    }
  }
}

function imagePart(spot: Spot): ChatPart {
  refuseFileIds(spot)
  const url = required(spot, 'image_url', 'string')
  const detail = optional(spot, 'detail', 'string')
  return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
}

function filePart(spot: Spot): ChatPart {
  refuseFileIds(spot)
  if (optional(spot, 'file_url', 'string') !== undefined) throw unreachable(spot, 'file_url')
  const file_data = required(spot, 'file_data', 'string')
  const filename = optional(spot, 'filename', 'string')
  return { type: 'file', file: { ...(filename !== undefined && { filename }), file_data } }
}

function refuseFileIds(spot: Spot): void {
  if (optional(spot, 'file_id', 'string') !== undefined) throw unreachable(spot, 'file_id')
}

function unreachable(spot: Spot, name: string): Error {
  const path = pathOf(spot, name)
  return refuse(
    path,
    'unsupported_value',
    `The server of this model cannot fetch files. Send '${path}' inline.`,
  )
}

/** The parts that are no text. */
export function attachmentsOf(parts: ChatPart[]): ChatPart[] {
  return parts.filter(({ type }) => type !== 'text')
}

/** The texts of the parts, joined. */
export function joinTexts(parts: ChatPart[], glue: string): string {
  return parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join(glue)
}

/** What a message says: a string where that will do, for many servers know no other. */
export function contentOf(parts: ChatPart[]): string | ChatPart[] {
  return parts.every(({ type }) => type === 'text') ? joinTexts(parts, '\n\n') : parts
}
