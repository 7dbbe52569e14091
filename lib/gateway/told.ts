import { asList, isObject, type JsonObject } from './translate/json'

/** What stands in a request beside its words, and how much of its bytes that takes. */
export type Told = {
  /** Characters of text. */
  textLength: number
  finePictures: number
  coarsePictures: number
  /** Bytes of pictures that stand in the request itself, and are not read as text. */
  pictureBytes: number
  /** Bytes of files that stand in the request itself. */
  fileBytes: number
  /** Whether a picture or a file is to be fetched from where the caller says. */
  hasAddresses: boolean
  /** Something whose size the request does not tell: a file, or what the model server has kept. */
  hasHidden: boolean
}

const pictureTypes = new Set(['image_url', 'input_image', 'computer_screenshot'])
const hiddenTypes = new Set([
  'file',
  'input_file',
  'item_reference',
  'compaction',
  'audio_url',
  'video_url',
  'input_video',
])

/** Where a request of any dialect says something. */
export function saidIn({ messages, input, instructions, prompt, system }: JsonObject): unknown[] {
  return [messages, input, instructions, prompt, system]
}

/** Looks through messages or items, however deep they are. */
export function readTold(said: unknown): Told {
  const told: Told = {
    textLength: 0,
    finePictures: 0,
    coarsePictures: 0,
    pictureBytes: 0,
    fileBytes: 0,
    hasAddresses: false,
    hasHidden: false,
  }
  // Not by calls of itself: nobody bounds how deep a body is.
  const open: unknown[] = [said]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value === 'string') told.textLength += value.length
    else if (Array.isArray(value)) for (const one of value) open.push(one)
    else if (isObject(value)) for (const one of look(value, told)) open.push(one)
  }
  return told
}

/** Notes what an object stands for, and returns what is in it to be looked at, too. */
function look(value: JsonObject, told: Told): unknown[] {
  const type = typeof value.type === 'string' ? value.type : ''
  if (hiddenTypes.has(type) || isHeardBefore(value)) told.hasHidden = true
  if (typeof value.file_data === 'string') told.fileBytes += value.file_data.length
  if (isSet(value.file_url)) told.hasAddresses = true
  if (!pictureTypes.has(type)) return Object.values(value)
  const inner = isObject(value.image_url) ? value.image_url : value
  const url = isObject(value.image_url) ? value.image_url.url : value.image_url
  if ((inner.detail ?? value.detail) === 'low') told.coarsePictures++
  else told.finePictures++
  if (typeof url === 'string' && url.startsWith('data:')) told.pictureBytes += url.length
  else if (isSet(url)) told.hasAddresses = true
  return []
}

/** A message whose sound the model server keeps. */
export function isHeardBefore({ audio }: JsonObject): boolean {
  return isObject(audio) && isSet(audio.id)
}

/** Tools that the caller runs though the model server describes them. */
const describedTools = new Set(['local_shell', 'apply_patch', 'computer', 'computer_use_preview'])
const isOwn = (type: string) => type === 'function' || type === 'custom'

/** Whether the caller runs a tool and describes it, too. */
export function isOwnTool(tool: unknown): boolean {
  return isObject(tool) && isOwn(String(tool.type))
}

/** What model servers tell a model of tools beside what the request says: of having some, and of each that they describe. */
const toolsTokens = 600
const describedTokens = 1000

/** Items that bring tools along. */
const bringers = new Set<unknown>(['additional_tools', 'tool_search_output'])

function typesOfTools({ tools, input }: JsonObject): string[] {
  const items = asList(input).filter((item) => isObject(item) && bringers.has(item.type))
  return [...asList(tools), ...items.flatMap((item) => asList((item as JsonObject).tools))].map((tool) =>
    isObject(tool) && typeof tool.type === 'string' ? tool.type : '',
  )
}

/**
 * Whether the model server may run tools and read everything again after each: tools that are not known to be the
 * caller's, and a prompt that it keeps, which may name some.
 */
export function runsTools(body: JsonObject): boolean {
  const isHosted = (type: string) => !isOwn(type) && !describedTools.has(type)
  const asked = [body.prompt, body.web_search_options, body.plugins]
  return typesOfTools(body).some(isHosted) || asked.some(isSet)
}

/** Tokens that a request's tools take and its bytes do not show, at most. */
export function hiddenToolTokens(body: JsonObject): number {
  const types = typesOfTools(body)
  if (types.length === 0) return 0
  return toolsTokens + types.filter((type) => !isOwn(type)).length * describedTokens
}

/** Whether a field says anything. */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}
