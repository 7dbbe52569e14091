import { randomUUID } from 'node:crypto'

/** An answer's JSON, to be looked into as the contract has it; whatever is not there is undefined. */
export interface Json {
  readonly [key: string]: Json | undefined
}

/** What a call got back; `body` is parsed where it is JSON. */
export type Answer<T = Json> = { status: number; headers: Headers; body: T; text: string }

type Call = { body?: unknown; headers?: Record<string, string>; rawBody?: string }

/** A program that calls the portal's API, signed in or not. */
export class Client {
  readonly url: string
  token: string | null

  constructor(url: string, token: string | null = null) {
    this.url = url
    this.token = token
  }

  async call<T = Json>(
    method: string,
    path: string,
    { body, headers, rawBody }: Call = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...(((body !== undefined && !(body instanceof FormData)) || rawBody !== undefined) && {
          'content-type': 'application/json',
        }),
        ...headers,
      },
      body: rawBody ?? (body === undefined || body instanceof FormData ? body : JSON.stringify(body)),
      redirect: 'manual',
    })
    const text = await response.text()
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '') && text !== ''
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
      text,
    }
  }

  /** The status of an answer whose body has no end; the body is not read. */
  async peek(path: string): Promise<{ status: number; text: string }> {
    const gone = new AbortController()
    const headers = this.token ? { authorization: `Bearer ${this.token}` } : undefined
    const { status } = await fetch(this.url + path, { headers, signal: gone.signal })
    gone.abort()
    return { status, text: '' }
  }

  get = <T = Json>(path: string) => this.call<T>('GET', path)
  post = <T = Json>(path: string, body: unknown = {}) => this.call<T>('POST', path, { body })
  patch = <T = Json>(path: string, body: unknown) => this.call<T>('PATCH', path, { body })
  put = <T = Json>(path: string, body: unknown) => this.call<T>('PUT', path, { body })
  delete = <T = Json>(path: string) => this.call<T>('DELETE', path)
}

export const password = 'correct horse battery'

/** Makes an account and signs it in. The first of a server is its admin. */
export async function signUp(
  url: string,
  name = 'user',
): Promise<Client & { email: string; userId: string }> {
  const email = `${name}-${randomUUID().slice(0, 8)}@example.com`
  const { status, body, text } = await new Client(url).post('/api/auth/register', { email, password, name })
  if (status !== 201) throw new Error(`No account: ${status} ${text}`)
  return Object.assign(new Client(url, String(body.token)), { email, userId: String(body.user?.id) })
}
