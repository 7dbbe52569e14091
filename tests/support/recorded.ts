import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** An exchange with OpenAI as it was recorded. */
export type Recording = {
  /** Such as `ruby_llm/chat_basic.0`. */
  name: string
  /** For `replay` in a script of the model server. */
  folder: string
  /** Below `/v1`, such as `/responses`. */
  endpoint: string
  method: string
  status: number
  isStream: boolean
  contentType: string
  /** Whether the way its events are framed is the recording's own; else it was put together again. */
  isFramedAsRecorded: boolean
  /** Headers by their names in lower case; none where they were not recorded. */
  headers: Record<string, string[]>
  request: Record<string, unknown> | null
  body: Buffer
}

type Meta = {
  endpoint: string
  query: string
  method: string
  status: number
  content_type: string
  sse: boolean
}

/** Exchanges of clients' test suites with OpenAI; they are no part of this repository. */
const folder = resolve(import.meta.dirname, '../../../shared/openai/recorded')

/** All that there are; none where the folder is absent. */
export function listRecordings(): Recording[] {
  if (!existsSync(folder)) return []
  const names = ['ruby_llm', 'vercel-ai'].flatMap((source) =>
    readdirSync(join(folder, source)).map((slug) => `${source}/${slug}`),
  )
  return names.sort().map(readRecording)
}

function readRecording(name: string): Recording {
  const path = join(folder, name)
  const meta = readJson<Meta>(path, 'meta.json')
  if (meta === null) throw new Error(`${path} has no meta.json.`)
  return {
    name,
    folder: path,
    endpoint: meta.endpoint + (meta.query && `?${meta.query}`),
    method: meta.method,
    status: meta.status,
    isStream: meta.sse,
    contentType: meta.content_type,
    isFramedAsRecorded: name.startsWith('ruby_llm/'),
    headers: readJson(path, 'response.headers.json') ?? {},
    request: readJson(path, 'request.json'),
    body: readFileSync(join(path, 'response.body')),
  }
}

function readJson<T>(path: string, file: string): T | null {
  const whole = join(path, file)
  return existsSync(whole) ? JSON.parse(readFileSync(whole, 'utf8')) : null
}
