import { type Actor, watchAccess } from './auth'
import { env } from './env'
import { AppError } from './errors'
import { passHeaders, passRequestHeaders } from './gateway/headers'
import { type Metered, settle } from './gateway/ledger'
import { StreamMeter } from './gateway/meter'
import { readRefusal } from './gateway/refusal'
import { readJson } from './http'
import { type Forwarded, forwardCall } from './providers'
import { type LentKey, noteOutcome, withCredential } from './vault'

export { getModel, listModels } from './gateway/models'

/** A call in OpenAI's dialect, as it came. */
export type GatewayCall = {
  method: 'GET' | 'POST' | 'DELETE'
  /** Below `/v1`, such as `/chat/completions`. */
  path: string
  request: Request
  /** What the body lacks and an older service had filled in. */
  defaults?: Record<string, unknown>
}

/**
 * Passes a call on to the model server that the actor's key serves, and its answer back: streams unchanged, byte for
 * byte, errors without a word about the key. Writes down what it cost, however it ends; it ends, too, when the actor's
 * session or key does.
 * Throws invalid_input, provider_auth if no key serves, provider_failed, provider_timeout.
 */
export async function forward(actor: Actor, call: GatewayCall): Promise<Response> {
  const asked = call.method === 'POST' ? await readAsked(call) : { model: null }
  return withCredential(actor, { projectId: actor.boundTo, provider: 'auto' }, async (key) => {
    try {
      return await pass(actor, call, { asked, key })
    } catch (error) {
      void noteOutcome(key, error)
      throw error
    }
  })
}

type Asked = { model: string | null; bytes?: Uint8Array }

async function readAsked({ request, defaults }: GatewayCall): Promise<Asked> {
  const { bytes, value } = await readJson(request)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('invalid_input', 'The body must be a JSON object.')
  const lacking = Object.entries(defaults ?? {}).filter(([name]) => !(name in value))
  const whole = { ...value, ...Object.fromEntries(lacking) }
  const model = 'model' in whole && typeof whole.model === 'string' ? whole.model.slice(0, 200) : null
  return { model, bytes: lacking.length === 0 ? bytes : Buffer.from(write(whole)) }
}

/** What can be read may be too deep to be written again. */
function write(body: object): string {
  try {
    return JSON.stringify(body)
  } catch (error) {
    throw new AppError('invalid_input', 'The body is nested too deeply.', { cause: error })
  }
}

type Passing = { asked: Asked; key: LentKey }

async function pass(actor: Actor, call: GatewayCall, { asked, key }: Passing): Promise<Response> {
  const { provider } = key
  if (provider === 'demo') throw noKey()
  const meter = new StreamMeter()
  const metered: Metered = { actor, key, model: asked.model, meter, status: 0 }
  const access = watchAccess(actor)
  const answer = await forwardCall({
    key: { ...key, provider },
    method: call.method,
    path: call.path,
    headers: passRequestHeaders(call.request),
    ...(asked.bytes && { body: asked.bytes }),
    timeouts: env().PROVIDER_TIMEOUTS,
    signal: AbortSignal.any([call.request.signal, access.lost]),
    tap: {
      chunk: (bytes) => meter.chunk(bytes),
      over: (how) => {
        access.release()
        if (call.method === 'POST') void settle(metered, how)
      },
    },
  })
  metered.status = answer.status
  return respond(key, answer)
}

async function respond(key: LentKey, answer: Forwarded): Promise<Response> {
  const headers = passHeaders(answer.headers)
  const { status } = answer
  if (status < 400) {
    void noteOutcome(key, null)
    return new Response(answer.body, { status, headers })
  }
  headers.set('content-type', 'application/json')
  const { error, cause } = await readRefusal(key, answer)
  void noteOutcome(key, cause)
  return Response.json({ error }, { status, headers })
}

function noKey(): AppError {
  const message = 'There is no key of a model server for this. Add one in the vault of AL-Chat.'
  return new AppError('provider_auth', message, { facts: { code: 'no_provider_key' } })
}
