import type { ModelFile, ModelMessage } from './port'

/** What a text file, or one that is not given, looks like to a model. */
function asText({ filename, content }: ModelFile): string | null {
  if (content.type === 'text') return `<file name=${JSON.stringify(filename)}>\n${content.text}\n</file>`
  if (content.type === 'absent')
    return `<file name=${JSON.stringify(filename)}>\n(${content.reason})\n</file>`
  return null
}

/** The texts of a message, those of its files first. */
function textsOf({ text, files = [] }: ModelMessage): string[] {
  return [...files.flatMap((file) => asText(file) ?? []), ...(text === '' ? [] : [text])]
}

function dataUrl(mimeType: string, base64: string): string {
  return `data:${mimeType};base64,${base64}`
}

/** The content of a message as the Responses API takes it: a string where that will do. */
export function responsesContent(message: ModelMessage): unknown {
  const { text, files } = message
  if (!files) return text
  const texts = textsOf(message).map((each) => ({ type: 'input_text', text: each }))
  return [...files.flatMap((file) => responsesPart(file) ?? []), ...texts]
}

function responsesPart({ filename, mimeType, content }: ModelFile): unknown {
  switch (content.type) {
    case 'image':
      return 'remoteId' in content
        ? { type: 'input_image', file_id: content.remoteId, detail: 'auto' }
        : { type: 'input_image', image_url: dataUrl(mimeType, content.base64), detail: 'auto' }
    case 'document':
      return 'remoteId' in content
        ? { type: 'input_file', file_id: content.remoteId }
        : { type: 'input_file', filename, file_data: dataUrl(mimeType, content.base64) }
    default:
      return null
  }
}

/** The content of a message as chat completions take it: a string where that will do, for many servers know no other. */
export function completionsContent(message: ModelMessage): unknown {
  const images = (message.files ?? []).flatMap(({ mimeType, content }) =>
    content.type === 'image' && 'base64' in content
      ? { type: 'image_url', image_url: { url: dataUrl(mimeType, content.base64) } }
      : [],
  )
  const texts = textsOf(message)
  if (images.length === 0) return texts.join('\n\n')
  return [...images, ...texts.map((text) => ({ type: 'text', text }))]
}

/** The content of a message as blocks of Anthropic's; texts in which nothing can be seen are refused there. */
export function messagesContent(message: ModelMessage): unknown[] {
  const files = (message.files ?? []).flatMap((file) => messagesBlock(file) ?? [])
  const texts = textsOf(message).filter((text) => text.trim() !== '')
  return [...files, ...texts.map((text) => ({ type: 'text', text }))]
}

function messagesBlock({ filename, mimeType, content }: ModelFile): unknown {
  if (!('base64' in content)) return null
  const source = { type: 'base64', media_type: mimeType, data: content.base64 }
  return content.type === 'image' ? { type: 'image', source } : { type: 'document', source, title: filename }
}

/** About how many characters a model is told with a message; an image counts as a thousand tokens. */
export function lengthOfMessage({ text, files = [] }: ModelMessage): number {
  return files.reduce((sum, file) => sum + (asText(file)?.length ?? 4000), text.length)
}
