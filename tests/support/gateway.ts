import OpenAI from 'openai'
import { type Client, signUp } from './client'
import { makeKey } from './keys'
import { type OpenAIServer, startOpenAI } from './openai'
import { type Environment, startServer, type TestServer } from './server'

/** A server whose only key leads to a wire-faithful OpenAI, with an admin. */
export type GatewayWorld = {
  upstream: OpenAIServer
  server: TestServer
  admin: Client & { userId: string }
  /** The official client, with a key of the admin's that has this policy. */
  sdk(policy?: object): Promise<OpenAI & { keyId: string; key: string }>
  /** One POST as it is on the wire. */
  post(path: string, body: unknown, key: string, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

/** The key that the upstream of this world takes. */
export const upstreamKey = 'sk-test-gateway-world-51ce'

/** Starts it; `env` is added to the server's environment. */
export async function startGateway(env: Environment = {}): Promise<GatewayWorld> {
  const upstream = await startOpenAI({ acceptKey: (given) => given === upstreamKey })
  const server = await startServer({
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: upstreamKey,
    RATE_LIMITS: 'off',
    ...env,
  })
  const admin = await signUp(server.url, 'admin')
  const sdk = async (policy: object = {}) => {
    const { key, id } = await makeKey(admin, { scopes: ['gateway'], ...policy })
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 })
    return Object.assign(client, { keyId: id, key })
  }
  const post: GatewayWorld['post'] = (path, body, key, headers = {}) =>
    fetch(`${server.url}/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const close = async () => {
    await server.close()
    await upstream.close()
  }
  return { upstream, server, admin, sdk, post, close }
}
