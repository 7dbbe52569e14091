import { log } from '../log'
import { countRequest } from '../metrics'

type Answered = {
  request: Request
  /** What the address was taken apart into; Next gives nothing where there is nothing. */
  params: Record<string, string | string[] | undefined> | undefined
  actor: unknown
  requestId: string
  status: number
  tookMs: number
}

/** Counts an answer, and tells the log of it: which route, for whom, never what else a caller said. */
export function noteAnswer({ request, params, actor, requestId, status, tookMs }: Answered): void {
  const path = new URL(request.url).pathname
  const { method } = request
  countRequest(path, method, status, tookMs)
  if (!log().isLevelEnabled('debug')) return
  const ms = Math.round(tookMs)
  log().debug(
    { requestId, method, route: routeOf(path, params), status, ms, userId: userOf(actor) },
    'answered',
  )
}

/** The path with what stands for a parameter named instead of told: `/api/agents/[agentId]`. */
function routeOf(path: string, params: Answered['params'] = {}): string {
  const names = new Map<string, string>()
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value)) for (const part of value) names.set(part, `[${name}]`)
    else if (value !== undefined) names.set(value, `[${name}]`)
  }
  const parts = path.split('/').map((part) => names.get(part) ?? names.get(decode(part)) ?? part)
  return parts.filter((part, index) => part !== parts[index - 1] || !part.startsWith('[')).join('/')
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function userOf(actor: unknown): string | undefined {
  if (typeof actor !== 'object' || actor === null || !('userId' in actor)) return undefined
  return typeof actor.userId === 'string' ? actor.userId : undefined
}
