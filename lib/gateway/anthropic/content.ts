import { invalid, isObject, type JsonObject, textOf, unsupported } from './json'

const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']

/**
 * The content of a message as blocks, as it stands in chat completions: a text, a list of parts, or nothing. Texts
 * without a visible character are left out, which Anthropic would refuse. Throws invalid_input for what it cannot take.
 */
export function toBlocks(content: unknown, path: string): JsonObject[] {
  if (content === null || content === undefined) return []
  if (typeof content === 'string') return textBlocks(content)
  if (!Array.isArray(content)) throw invalid(path, 'The content of a message is a text or a list of parts.')
  return content.flatMap((part: unknown, index) => toBlock(part, `${path}.[${index}]`))
}

/** A text as a block; none where there is nothing to be seen in it. */
function textBlocks(text: string): JsonObject[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }]
}

function toBlock(part: unknown, path: string): JsonObject[] {
  switch (textOf(part, 'type')) {
    case 'text':
      return textBlocks(textOf(part, 'text'))
    case 'refusal':
      return textBlocks(textOf(part, 'refusal'))
    case 'image_url':
      return [toImage(isObject(part) ? part.image_url : null, `${path}.image_url`)]
    case 'file':
      return [toDocument(isObject(part) ? part.file : null, `${path}.file`)]
    case 'input_audio':
      throw unsupported(path, 'Anthropic’s models take no audio. Send the words as text.')
    default:
      throw invalid(`${path}.type`, 'A part of a message is a text, an image_url or a file.')
  }
}

/** `detail` is passed over: Anthropic decides by itself how closely a picture is looked at. */
function toImage(image: unknown, path: string): JsonObject {
  const url = typeof image === 'string' ? image : textOf(image, 'url')
  const inline = readDataUrl(url)
  if (inline === null) {
    if (!/^https?:\/\//i.test(url)) throw invalid(path, 'An image is an address or a data: URL in base64.')
    return { type: 'image', source: { type: 'url', url } }
  }
  if (!imageTypes.includes(inline.mediaType)) {
    throw unsupported(path, 'Anthropic’s models take images as JPEG, PNG, GIF and WebP.')
  }
  return { type: 'image', source: toSource(inline) }
}

function toDocument(file: unknown, path: string): JsonObject {
  if (textOf(file, 'file_id') !== '') {
    throw unsupported(
      `${path}.file_id`,
      'This file is at OpenAI. Send what is in it as file_data to Anthropic’s models.',
    )
  }
  const inline = readDataUrl(textOf(file, 'file_data'))
  if (inline === null) throw invalid(`${path}.file_data`, 'file_data is a data: URL in base64.')
  const title = textOf(file, 'filename')
  return { type: 'document', source: toDocumentSource(inline, path), ...(title !== '' && { title }) }
}

function toDocumentSource(inline: Inline, path: string): JsonObject {
  if (inline.mediaType === 'application/pdf') return toSource(inline)
  if (!inline.mediaType.startsWith('text/')) {
    throw unsupported(`${path}.file_data`, 'Anthropic’s models take PDF and text files.')
  }
  const data = Buffer.from(inline.data, 'base64').toString('utf8')
  return { type: 'text', media_type: 'text/plain', data }
}

type Inline = { mediaType: string; data: string }

function toSource({ mediaType, data }: Inline): JsonObject {
  return { type: 'base64', media_type: mediaType, data }
}

/** A `data:` URL in base64 (RFC 2397), or null. */
function readDataUrl(url: string): Inline | null {
  if (!/^data:/i.test(url)) return null
  const comma = url.indexOf(',')
  const [mediaType = '', ...parameters] = url
    .slice('data:'.length, Math.max(0, comma))
    .toLowerCase()
    .split(';')
  if (comma === -1 || parameters.at(-1) !== 'base64') return null
  return { mediaType: mediaType === 'image/jpg' ? 'image/jpeg' : mediaType, data: url.slice(comma + 1) }
}
