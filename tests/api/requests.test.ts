import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerStarting } from '../../scripts/requests.mjs'
import { type Answer, Client, password, signUp } from '../support/client'
import { startServer, type TestServer } from '../support/server'

/*
 * What happens to a request before any route sees it. Every answer has a name, and errors are in the portal's words.
 */

let server: TestServer

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

function expectRefusal({ status, headers, body, text }: Answer, expected: number, code: string): void {
  expect([status, body.error?.code], text.slice(0, 200)).toEqual([expected, code])
  expect(body.error?.message).toEqual(expect.any(String))
  expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
  expect(body.error?.request_id).toBe(headers.get('x-request-id'))
}

describe('a path that cannot be decoded', () => {
  test.each(['/%', '/api/projects/%E0%A4%A', '/_next/static/%ff', '/chat/%zz'])(
    '%s is refused',
    async (path) => {
      expectRefusal(await new Client(server.url).get(path), 400, 'invalid_input')
    },
  )

  test('by the name that its caller gave it', async () => {
    const headers = { 'x-request-id': 'name-of-the-caller' }
    const answer = await new Client(server.url).call('GET', '/%', { headers })
    expect(answer.body.error?.request_id).toBe('name-of-the-caller')
  })

  test('a query may hold any %', async () => {
    expect((await new Client(server.url).get('/login?next=%')).status).toBe(200)
  })

  test('nor is U+0000 anything but an address where nothing is', async () => {
    for (const path of ['/%00', '/api/%00', '/api/projects/%00', '/chat/%00'])
      expect((await new Client(server.url).get(path)).status, path).toBeLessThan(500)
  })
})

describe('a method', () => {
  test.each(['/', '/login', '/api/projects', '/api/health', '/_next/static/x.js'])(
    'that nobody takes is refused at %s',
    async (path) => {
      const answer = await new Client(server.url).call('PROPFIND', path)
      expectRefusal(answer, 405, 'method_not_allowed')
      expect(answer.headers.get('allow')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
    },
  )

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is nothing to do to a page', async (method) => {
    for (const path of ['/', '/login', '/chat', '/apis', '/not/there']) {
      const answer = await new Client(server.url).call(method, path)
      expectRefusal(answer, 405, 'method_not_allowed')
      expect(answer.headers.get('allow')).toBe('GET, HEAD, POST')
    }
  })

  test('that the API takes comes to it', async () => {
    const user = await signUp(server.url)
    const { body } = await user.post('/api/projects', { name: 'Project' })
    expect((await user.patch(`/api/projects/${body.id}`, { name: 'Other' })).status).toBe(200)
    expect((await user.call('OPTIONS', '/api/projects')).status).toBe(204)
    expect((await user.call('HEAD', '/login')).status).toBe(200)
  })
})

/** What the server says to these bytes, until it hangs up. */
async function sendBytes(bytes: string): Promise<Answer> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  let said = ''
  socket.on('data', (chunk: string) => {
    said += chunk
  })
  socket.write(bytes)
  await once(socket, 'close')
  const [head = '', text = ''] = said.split('\r\n\r\n', 2)
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map((line) => line.split(': ', 2) as [string, string]))
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(text), text }
}

describe('what cannot be read as a request', () => {
  test('is answered, with a name', async () => {
    expectRefusal(await sendBytes('Hello?\r\n\r\n'), 400, 'invalid_input')
    expectRefusal(await sendBytes('GET / HTTP/1.1\r\nno colon\r\n\r\n'), 400, 'invalid_input')
    expectRefusal(await sendBytes('GET / HTTP/1.1\r\nconnection: close\r\n\r\n'), 400, 'invalid_input')
    expectRefusal(
      await sendBytes(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(40_000)}\r\n\r\n`),
      431,
      'too_large',
    )
  })

  test('hurts nobody else', async () => {
    expect((await new Client(server.url).get('/api/health')).status).toBe(200)
  })
})

describe('who forwarded a request', () => {
  const login = async (url: string) => {
    const { email } = await signUp(url)
    const headers = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' }
    return new Client(url).call('POST', '/api/auth/login', { body: { email, password }, headers })
  }
  const ipOf = async (url: string, token: unknown) => {
    const { body } = await new Client(url, String(token)).get('/api/auth/sessions')
    return (body.items as unknown as { current: boolean; ip: string }[]).find(({ current }) => current)?.ip
  }

  test('is not believed of just anybody', async () => {
    const { headers, body } = await login(server.url)
    expect(headers.get('set-cookie')).not.toMatch(/secure/i)
    expect(await ipOf(server.url, body.token)).toBe('127.0.0.1')
  })

  test('is believed of a proxy that is trusted', async () => {
    const behind = await startServer({ TRUSTED_PROXIES: '10.0.0.1, 127.0.0.0/8' })
    try {
      const { headers, body } = await login(behind.url)
      expect(headers.get('set-cookie')).toMatch(/secure/i)
      expect(await ipOf(behind.url, body.token)).toBe('203.0.113.7')
    } finally {
      await behind.close()
    }
  })
})

test('a server that is still starting says so, by name', async () => {
  const starting = createServer(answerStarting).listen(0, '127.0.0.1')
  await once(starting, 'listening')
  try {
    const { port } = starting.address() as AddressInfo
    const { status, headers } = await new Client(`http://127.0.0.1:${port}`).get('/')
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  } finally {
    starting.close()
  }
})
