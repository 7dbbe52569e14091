import type { z } from 'zod'
import type { CallClass } from './env'
import { AppError } from './errors'
import { noteAnswer } from './http/answered'
import { readBody } from './http/body'
import { openAiErrorResponse } from './http/openai-error'
import { corsHeaders, refuseForeignOrigin } from './http/origin'
import { errorResponse } from './http/portal-error'
import { type Allowance, allowanceHeaders, countCall, countRefused, requireAllowance } from './http/rate'
import { readRequestId } from './http/request-id'
import { parseInput } from './http/validate'

export {
  callerAddress,
  callerNetwork,
  isFromThisMachine,
  isHttps,
  publicAddress,
  requestHost,
} from './http/address'
export { readJson } from './http/body'
export { dispatchTo, type FindHandler } from './http/dispatch'
export { eventStream, lastEventId, type ServerEvent, wantsEvents } from './http/event-stream'
export { type BodyReader, ignoreRest } from './http/ignored'
export { type IncomingFile, readForm } from './http/multipart'
export { tellOpenAi } from './http/openai-error'
export { logUnexpected } from './http/portal-error'
export { textStream } from './http/text-stream'
export { parseInput } from './http/validate'

type Context = { params: Promise<Record<string, string | string[] | undefined>> }
export type Handler = (request: Request, context: Context) => Promise<Response>
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

type Input<A, P, Q, B> = { actor: A; params: P; query: Q; body: B; request: Request; requestId: string }

const dialects = { portal: errorResponse, openai: openAiErrorResponse }

type Declaration<A, P, Q, B> = {
  /** Who may call; throws if the caller may not. `anyone` must be written out. */
  auth: (request: Request) => Promise<A>
  params?: z.ZodType<P>
  query?: z.ZodType<Q>
  body?: z.ZodType<B>
  /** In whose words errors are told; the portal's unless said. */
  dialect?: keyof typeof dialects
  /** What the call counts as, of `RATE_LIMITS`; without it, `read` for GET and `write` for the rest. */
  limit?: CallClass
  run: (input: Input<A, P, Q, B>) => Promise<Response>
}

/** Lets everyone in, signed in or not. */
export async function anyone(): Promise<null> {
  return null
}

/**
 * One method of one URL: authenticates, counts, parses, runs, and maps every error to its dialect.
 * The caller's origin is checked before anything else, so that no other site can spend a browser's session.
 */
export function route<A, P = unknown, Q = unknown, B = unknown>(declared: Declaration<A, P, Q, B>): Handler {
  return async (request, context) => {
    const requestId = readRequestId(request)
    const startedAt = performance.now()
    let response: Response
    let actor: A | null = null
    let allowance: Allowance | null = null
    try {
      refuseForeignOrigin(request)
      actor = await knowCaller(declared.auth, request)
      allowance = await countCall(request, actor, declared.limit ?? usualLimit(request))
      requireAllowance(allowance)
      const params = declared.params ? parseParams(declared.params, await context.params) : (undefined as P)
      const query = declared.query ? parseInput(declared.query, readQuery(request)) : (undefined as Q)
      const body = declared.body ? parseInput(declared.body, await readBody(request)) : (undefined as B)
      response = await declared.run({ actor, params, query, body, request, requestId })
    } catch (error) {
      response = dialects[declared.dialect ?? 'portal'](error, requestId)
    }
    finish(request, response, requestId)
    if (declared.dialect === 'openai' && allowance) tellAllowance(response, allowance)
    const { status } = response
    const tookMs = performance.now() - startedAt
    noteAnswer({ request, params: await context.params, actor, requestId, status, tookMs })
    return response
  }
}

async function knowCaller<A>(auth: (request: Request) => Promise<A>, request: Request): Promise<A> {
  try {
    return await auth(request)
  } catch (error) {
    await countRefused(request, error)
    throw error
  }
}

function usualLimit({ method }: Request): CallClass {
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write'
}

/** Our own limits, where the model server has not told its. */
function tellAllowance({ headers }: Response, allowance: Allowance): void {
  if ([...headers.keys()].some((name) => name.startsWith('x-ratelimit-'))) return
  for (const [name, value] of allowanceHeaders(allowance)) headers.set(name, value)
}

function finish(request: Request, response: Response, requestId: string): void {
  response.headers.set('x-request-id', requestId)
  if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store')
  for (const [name, value] of corsHeaders(request)) response.headers.set(name, value)
}

/** An id that is none names a thing that is not there. */
function parseParams<P>(schema: z.ZodType<P>, params: unknown): P {
  const parsed = schema.safeParse(params)
  if (!parsed.success) throw new AppError('not_found', 'There is nothing at this address.')
  return parsed.data
}

/** Throws invalid_input for what no text has, and no database can look for: U+0000. */
function readQuery(request: Request): Record<string, string> {
  const query = Object.fromEntries(new URL(request.url).searchParams)
  const faulty = Object.keys(query).filter((name) => query[name]?.includes('\0'))
  if (faulty.length === 0) return query
  const message = 'The query has a character that no text has: U+0000.'
  throw new AppError('invalid_input', message, { issues: faulty.map((path) => ({ path, message })) })
}

/** All methods of one URL; those not given are answered with 405 and `allow`. */
export function methods(
  given: Partial<Record<Method, Handler>>,
  dialect: keyof typeof dialects = 'portal',
): Record<Method | 'OPTIONS', Handler> {
  const allow = [...Object.keys(given), ...(given.GET ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  const refuse = route({
    auth: anyone,
    dialect,
    run: async () => {
      throw new AppError('method_not_allowed', `This address takes ${allow}.`)
    },
  })
  const refuseWithAllow: Handler = async (request, context) => {
    const response = await refuse(request, context)
    response.headers.set('allow', allow)
    return response
  }
  const answerOptions: Handler = async (request) => {
    const response = new Response(null, { status: 204, headers: { allow } })
    response.headers.set('x-request-id', readRequestId(request))
    for (const [name, value] of corsHeaders(request)) response.headers.set(name, value)
    if (response.headers.has('access-control-allow-origin')) {
      response.headers.set('access-control-allow-methods', allow)
      response.headers.set('access-control-allow-headers', allowedHeaders(request))
      response.headers.set('access-control-max-age', '600')
    }
    return response
  }
  return {
    GET: refuseWithAllow,
    POST: refuseWithAllow,
    PUT: refuseWithAllow,
    PATCH: refuseWithAllow,
    DELETE: refuseWithAllow,
    ...given,
    OPTIONS: answerOptions,
  }
}

/** What callers from a listed origin may send: the names that they ask for, as official clients have many of their own. */
function allowedHeaders(request: Request): string {
  const asked = request.headers.get('access-control-request-headers') ?? ''
  const usual = 'authorization, content-type, x-api-key, x-request-id, last-event-id'
  return asked.length <= 2000 && /^[\w-]+(?:, ?[\w-]+)*$/.test(asked) ? asked : usual
}

/** 200 with a JSON body. */
export function ok(body: unknown, headers?: HeadersInit): Response {
  return Response.json(body, { status: 200, headers })
}

/** 201 with the made thing. */
export function created(body: unknown, headers?: HeadersInit): Response {
  return Response.json(body, { status: 201, headers })
}

/** 202: begun, and going on without this request. */
export function accepted(body: unknown): Response {
  return Response.json(body, { status: 202 })
}

/** 204. */
export function noContent(headers?: HeadersInit): Response {
  return new Response(null, { status: 204, headers })
}
