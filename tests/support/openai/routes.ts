import { createChat, createCompletion } from './chat.ts'
import { compactConversation } from './compact.ts'
import { createEmbeddings } from './embeddings.ts'
import { WireError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { deleteFile, getFile, getFileContent, listFiles, uploadFile } from './files.ts'
import { createImages } from './images.ts'
import { countInputTokens } from './input-tokens.ts'
import { getModel, listModels } from './models.ts'
import { createModeration } from './moderations.ts'
import {
  cancelResponse,
  createResponse,
  deleteResponse,
  listInputItems,
  retrieveResponse,
} from './responses.ts'
import type { Store } from './store.ts'

/** Answers a request: with the JSON it returns, or by itself. */
type Handler = (exchange: Exchange, store: Store, id: string) => string | undefined | Promise<void>

/** What is served: method, path with `{id}`, and whether it needs a `model`. */
export type Route = { method: string; path: string; model?: boolean; handle: Handler }

const routes: Route[] = [
  { method: 'POST', path: '/v1/responses', model: true, handle: createResponse },
  { method: 'POST', path: '/v1/responses/compact', model: true, handle: compactConversation },
  { method: 'POST', path: '/v1/responses/input_tokens', model: true, handle: countInputTokens },
  { method: 'GET', path: '/v1/responses/{id}', handle: retrieveResponse },
  { method: 'DELETE', path: '/v1/responses/{id}', handle: deleteResponse },
  { method: 'POST', path: '/v1/responses/{id}/cancel', handle: cancelResponse },
  { method: 'GET', path: '/v1/responses/{id}/input_items', handle: listInputItems },
  { method: 'POST', path: '/v1/chat/completions', model: true, handle: createChat },
  { method: 'POST', path: '/v1/completions', model: true, handle: createCompletion },
  { method: 'POST', path: '/v1/embeddings', model: true, handle: createEmbeddings },
  { method: 'POST', path: '/v1/moderations', handle: createModeration },
  { method: 'POST', path: '/v1/images/generations', handle: createImages },
  { method: 'POST', path: '/v1/files', handle: uploadFile },
  { method: 'GET', path: '/v1/files', handle: listFiles },
  { method: 'GET', path: '/v1/files/{id}', handle: getFile },
  { method: 'DELETE', path: '/v1/files/{id}', handle: deleteFile },
  { method: 'GET', path: '/v1/files/{id}/content', handle: getFileContent },
  { method: 'GET', path: '/v1/models', handle: listModels },
  { method: 'GET', path: '/v1/models/{id}', handle: (exchange, _store, id) => getModel(exchange, id) },
]

function idIn(pattern: string, path: string): string | undefined {
  const [before = '', after] = pattern.split('{id}')
  if (after === undefined) return pattern === path ? '' : undefined
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined
  const id = decodeURIComponent(path.slice(before.length, path.length - after.length))
  return id === '' || id.includes('/') ? undefined : id
}

/** Finds the route of a call and the id in its path; 404 or 405 when there is none. */
export function findRoute(method: string, path: string): { route: Route; id: string } {
  const served = routes.flatMap((route) => {
    const id = idIn(route.path, path)
    return id === undefined ? [] : [{ route, id }]
  })
  const found = served.find(({ route }) => route.method === method)
  if (found !== undefined) return found
  if (served.length === 0) throw new WireError({ status: 404, message: `Invalid URL (${method} ${path})` })
  throw new WireError({ status: 405, message: `Not allowed to ${method} on ${path}.` })
}
