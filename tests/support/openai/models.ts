import { modelError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { encodePretty } from './wire.ts'

/** The models listed, with the snapshot that answers name. */
const snapshots: Record<string, string> = {
  'gpt-5': 'gpt-5-2025-08-07',
  'gpt-5-mini': 'gpt-5-mini-2025-08-07',
  'gpt-5-nano': 'gpt-5-nano-2025-08-07',
  'gpt-5.2': 'gpt-5.2-2025-12-11',
  'gpt-4.1': 'gpt-4.1-2025-04-14',
  'gpt-4.1-nano': 'gpt-4.1-nano-2025-04-14',
  'gpt-4o': 'gpt-4o-2024-08-06',
  'gpt-4o-mini': 'gpt-4o-mini-2024-07-18',
  'o4-mini': 'o4-mini-2025-04-16',
  'gpt-3.5-turbo-instruct': 'gpt-3.5-turbo-instruct:20230824-v2',
  'text-embedding-3-small': 'text-embedding-3-small',
  'text-embedding-3-large': 'text-embedding-3-large',
  'omni-moderation-latest': 'omni-moderation-latest',
  'gpt-image-1': 'gpt-image-1',
  'dall-e-3': 'dall-e-3',
}

/** The name by which answers call the model that was asked for. */
export function snapshotOf(model: string): string {
  return snapshots[model] ?? model
}

/** Tells whether a model is unknown here, as are all that begin with `no-such`. */
export function isUnknownModel(model: string): boolean {
  return model.startsWith('no-such')
}

const describeModel = (id: string) => ({ id, object: 'model', created: 1754073306, owned_by: 'system' })

/** Answers `GET /v1/models`. */
export function listModels(): string {
  return encodePretty({ object: 'list', data: Object.keys(snapshots).map(describeModel) })
}

/** Answers `GET /v1/models/{id}`. */
export function getModel(exchange: Exchange, id: string): string {
  if (isUnknownModel(id)) throw modelError(id, exchange.path)
  return encodePretty(describeModel(id))
}
